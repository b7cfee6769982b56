/* heat.js - the dialog with heat maps: the picture and a tile, plain above, with heat below. */
import * as api from './api.js';
import {isCircle} from './camera.js';
import {byId, make, show} from './dom.js';
import * as heading from './heading.js';
import * as words from './words.js';

/* A picture with its caption. `blob` is a promise of it. */
function figure(name, description, blob) {
    const image = make('img', {alt: description, class: 'loading'});
    const shown = show(image, blob).then(() => image.classList.remove('loading'));
    return {shown, element: make('figure', {class: name}, image, make('figcaption', {}, description))};
}

export class Heat {
    /* weights: as in GET /v1/map */
    constructor(weights) {
        this.weights = weights;
        this.dialog = byId('heat');
        this.control = new AbortController();
        byId('heat-close').addEventListener('click', () => this.dialog.close());
        this.dialog.addEventListener('click', (event) => {
            if (event.target === this.dialog) this.dialog.close();
        });
        this.dialog.addEventListener('close', () => this.control.abort());
        byId('heat-stage').addEventListener('change', () => this.draw());
    }

    open(entry, tile) {
        Object.assign(this, {entry, tile});
        byId('heat-title').textContent = `${entry.name} and tile at ${words.place(tile, 5)}`;
        this.dialog.showModal();
        this.draw();
    }

    async draw() {
        const {entry, tile} = this, stage = byId('heat-stage').querySelector(':checked').value;
        this.control.abort();
        this.control = new AbortController();
        const {signal} = this.control, {photos, pictures} = this.weights, degrees = tile.heading ?? 0;
        const question = {stage, heading: photos ? null : degrees, isPanorama: entry.isPanorama, fov: entry.fov, signal};
        const parts = [figure('tile', 'The tile', api.tilePicture(tile.id, signal))], {views = 1} = entry.answer;
        if (views === 1)
            parts.push(figure('street', 'Heat map of the picture', api.heat('street', entry.file, tile.id, question)));
        if (views === 1 && pictures === 1)
            parts.push(figure('tile', 'Heat map of the tile', api.heat('aerial', entry.file, tile.id, question)));
        const isPlain = photos || (entry.answer.camera !== undefined && !isCircle(entry.answer.camera));
        const plain = ({url}) => make('img', {class: 'plain', src: url, alt: entry.name});
        const turned = (preview) => heading.panorama(preview, entry.name, degrees);
        const street = make(
            'figure', {class: 'street'}, entry.preview === null ? '' : (isPlain ? plain : turned)(entry.preview),
            make('figcaption', {}, isPlain ? 'The picture' : 'The picture, north at its centre'));
        byId('heat-pictures').replaceChildren(street, ...parts.map((part) => part.element));
        byId('heat-notice').textContent =
            views > 1 ? `No heat map: this panorama was searched as ${views} views.` : '';
        try {
            await Promise.all(parts.map((part) => part.shown));
        } catch (error) {
            if (!signal.aborted) byId('heat-notice').textContent = error.message;
        }
    }
}
