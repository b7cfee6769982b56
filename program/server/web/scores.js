/* scores.js - the scores of the picture shown as a layer over the map, most opaque at the highest p or, without p,
 * score. Requested only while the layer is on, once for each answer. */
import * as L from '../leaflet/leaflet.esm.js';

import * as api from './api.js';
import {button, byId, make} from './dom.js';
import {near} from './earth.js';
import {save} from './export.js';
import * as words from './words.js';

const STRENGTH = 0.75; /* of the layer */

export class Scores {
    /* middle: the longitude around which the map is drawn. Its switch is in the layer control. */
    constructor(map, middle) {
        Object.assign(this, {map, middle, entry: null, layer: null, drawn: null, kept: new WeakMap()});
        this.control = new AbortController();
        this.box = make('input', {id: 'scores-shown', type: 'checkbox'});
        this.legend = make('p', {id: 'scores-legend', class: 'quiet', role: 'status'});
        this.file = button({class: 'small', hidden: true, click: () => this.save()}, 'Save as GeoTIFF');
        this.box.addEventListener('change', () => this.update());
        byId('layers-panel')?.append(
            make('p', {}, make('label', {}, this.box, ' Scores of the photo')), this.legend, this.file);
    }

    /* Another picture is shown (null: none), or its answer changed. */
    show(entry) {
        this.entry = entry;
        this.update();
    }

    clear(sentence = '') {
        this.layer?.remove();
        Object.assign(this, {layer: null, drawn: null});
        this.file.hidden = true;
        this.legend.textContent = sentence;
    }

    async update() {
        const answer = this.entry?.answer ?? null;
        if (this.box.checked && answer !== null && answer === this.drawn) return;
        this.control.abort();
        if (!this.box.checked) return this.clear();
        if (answer === null) return this.clear('No photo has an answer yet.');
        this.control = new AbortController();
        const {signal} = this.control, {file, answered} = this.entry;
        this.clear('Searching …');
        this.drawn = answer;
        try {
            if (!this.kept.has(answer)) this.kept.set(answer, await api.scores(file, answered, signal));
            if (!signal.aborted) this.draw(this.kept.get(answer));
        } catch (error) {
            if (!signal.aborted) this.clear(error.message);
        }
    }

    draw(scores) {
        const [west, south, east, north] = scores.bounds, move = near(west, this.middle) - west;
        this.layer = L.imageOverlay(scores.image, [[south, west + move], [north, east + move]],
            {opacity: STRENGTH, className: 'scores', alt: ''}).addTo(this.map);
        const isP = scores.p_high !== null;
        const ends = isP ? ['0', words.share(scores.p_high)] : [scores.score_low, scores.score_high].map(words.score);
        const name = !isP ? 'score' : scores.calibrated ? 'p of a tile' : 'p of a tile, uncalibrated';
        this.legend.replaceChildren(
            ends[0], make('span', {class: 'ramp', 'aria-hidden': 'true'}), ends[1], make('br'), name);
        this.file.hidden = false;
    }

    async save() {
        const {file, name, answered} = this.entry;
        try {
            save(`${name.replace(/\.[^.]*$/, '')}.tif`, 'image/tiff', await api.scoresFile(file, answered));
        } catch (error) {
            this.legend.textContent = error.message;
        }
    }
}
