/* heading.js - the picture, rotated to north at its centre as in the network's input, and the slider that rotates
 * it. */
import {source} from './camera.js';
import {button, make} from './dom.js';
import * as words from './words.js';

const WINDS = [['S', 0], ['W', 25], ['N', 50], ['E', 75], ['S', 100]]; /* positions with north at the centre */

/* A column at x (0..1) of a panorama whose centre has the heading h has the heading h + 360 (x - 1/2). North is thus at
 * x = 1/2 - h / 360, and moves to the centre if the picture is shifted by h / 360 of its width. */
export function turn(view, degrees) {
    view.style.backgroundPositionX = `${(degrees / 360) * view.clientWidth}px`;
    view.dataset.heading = degrees;
}

/* A picture that can be rotated. `preview` is { url, ratio }. */
export function panorama(preview, name, degrees) {
    const view = make('div', {class: 'panorama', role: 'img', 'aria-label': `${name}, north at the centre`});
    view.style.backgroundImage = `url("${preview.url}")`;
    view.style.aspectRatio = String(Math.min(Math.max(preview.ratio, 2), 5));
    view.dataset.heading = degrees;
    new ResizeObserver(() => turn(view, Number(view.dataset.heading))).observe(view);
    return view;
}

export const winds = () => make('div', {class: 'winds', 'aria-hidden': 'true'}, ...WINDS.map(([wind, at]) => {
    const mark = make('span', {}, wind);
    mark.style.left = `${at}%`;
    return mark;
}));

/* The origin of the heading: from the last question and its answer. */
function origin(entry) {
    if (typeof entry.heading === 'number') return 'set by you';
    const from = entry.answer?.camera?.heading_from ?? null;
    if (from !== null && !entry.answer.heading_estimated) return source(from);
    return entry.answer?.heading_estimated ? 'estimated' : 'from the picture';
}

/* Slider and buttons under the picture `view` (which may be null). asked(heading, rest): the picture is to be searched
 * with these degrees, 'find' or null, once `rest` milliseconds have passed without another change. all(heading): so are
 * all pictures. */
export class Controls {
    constructor(view, asked, all) {
        Object.assign(this, {view, heading: null});
        this.told = make('output', {for: 'heading'});
        this.slider = make('input', {id: 'heading', type: 'range', min: 0, max: 359, step: 1, value: 0});
        this.slider.addEventListener('input', () => {
            this.turnTo(Number(this.slider.value), 'set by you');
            asked(Number(this.slider.value), 400);
        });
        const mode = (text, heading) => button({class: 'small', click: () => asked(heading, 0)}, text);
        this.modes = [[mode('From picture', null), null], [mode('Estimate', 'find'), 'find']];
        this.all = button({class: 'small', hidden: true, click: () => all(this.heading)});
        this.element = make(
            'div', {class: 'heading'}, make('label', {for: 'heading'}, 'Heading'), this.told, this.slider,
            make(
                'div', {class: 'row', role: 'group', 'aria-label': 'Source of the heading'},
                ...this.modes.map(([button]) => button), this.all));
    }

    /* Offer the heading for all pictures if some were searched with another. */
    offer(entries) {
        this.all.hidden = entries.length < 2 || entries.every((entry) => entry.heading === this.heading);
        this.all.textContent = `Same for all ${entries.length} photos`;
    }

    turnTo(degrees, by) {
        if (this.view !== null) turn(this.view, degrees);
        this.told.textContent = `${words.heading(degrees)} ${by}`;
        this.slider.setAttribute('aria-valuetext', `${degrees} degrees`);
    }

    /* After a new answer; while a question is open the slider keeps the user's position. */
    update(entry) {
        this.heading = entry.heading;
        for (const [button, heading] of this.modes) button.setAttribute('aria-pressed', entry.heading === heading);
        const best = entry.answer?.answers[0];
        if (entry.state !== 'done' || best === undefined) return;
        const degrees = Math.round(typeof entry.heading === 'number' ? entry.heading : best.heading) % 360;
        this.slider.value = degrees;
        this.turnTo(degrees, origin(entry));
    }
}
