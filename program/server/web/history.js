/* history.js - the list of this visit's pictures: thumbnail, name and outcome. If it is wider than the page, buttons
 * scroll it. */
import {button, byId, make} from './dom.js';
import {isStill} from './map.js';
import {summary} from './table.js';
import {isWaiting} from './visit.js';
import * as words from './words.js';

function outcome(entry) {
    if (isWaiting(entry)) return 'searching';
    if (entry.state === 'failed') return entry.answer === null ? 'no answer' : 'earlier answer';
    return words.verdict(entry.answer).word;
}

function fill(item, entry, isCurrent) {
    const [press] = item.children, [thumb, name, state] = press.children;
    item.dataset.state = entry.state;
    item.dataset.outcome = outcome(entry);
    name.textContent = entry.name;
    state.textContent = outcome(entry);
    thumb.style.backgroundImage = entry.preview === null ? '' : `url("${entry.preview.url}")`;
    press.ariaCurrent = isCurrent ? 'true' : null;
}

export class History {
    /* open(entry): a picture was chosen. */
    constructor(open) {
        Object.assign(this, {open, list: byId('entries'), items: new Map()});
        this.ends = [['entries-newer', -1], ['entries-older', 1]].map(([id, sign]) => {
            const behavior = isStill ? 'instant' : 'smooth';
            byId(id).addEventListener(
                'click', () => this.list.scrollBy({left: sign * 0.8 * this.list.clientWidth, behavior}));
            return byId(id);
        });
        this.list.addEventListener('scroll', () => this.showEnds(), {passive: true});
        new ResizeObserver(() => this.showEnds()).observe(this.list);
    }

    /* Which ends of the list are out of view. */
    showEnds() {
        const {scrollLeft, scrollWidth, clientWidth} = this.list, rest = scrollWidth - clientWidth - scrollLeft;
        [scrollLeft > 2, rest > 2].forEach((isMore, i) => {
            this.ends[i].disabled = !isMore;
            this.list.classList.toggle(['more-left', 'more-right'][i], isMore);
        });
        byId('entries-move').hidden = scrollWidth <= clientWidth + 2;
    }

    add(entry) {
        const item = make('li', {'data-entry': entry.id}, button(
            {class: 'entry', click: () => this.open(entry)}, make('span', {class: 'thumb', 'aria-hidden': 'true'}),
            make('span', {class: 'name'}), make('span', {class: 'quiet'})));
        this.items.set(entry, item);
        this.list.prepend(item);
    }

    update(entries, current) {
        const fresh = entries.filter((entry) => !this.items.has(entry));
        for (const entry of fresh.reverse()) this.add(entry);
        if (fresh.length > 0) this.list.scrollLeft = 0;
        for (const entry of entries) fill(this.items.get(entry), entry, entry === current);
        byId('visit').hidden = entries.length === 0;
        const isAny = entries.some((entry) => entry.answer !== null || entry.problem !== null);
        byId('geojson').disabled = byId('csv').disabled = !isAny;
        byId('summary').textContent = summary(entries);
        this.showEnds();
    }

    clear() {
        this.items.clear();
        this.list.replaceChildren();
    }
}
