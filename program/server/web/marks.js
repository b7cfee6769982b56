/* marks.js - answers on the map: of the picture shown, the best place with its tile, the others fainter, and its GPS
 * position; of the visit's other pictures, a dot at the best place. */
import * as L from '../leaflet/leaflet.esm.js';

import {isStill} from './map.js';
import * as words from './words.js';

/* A marker, accessible by keyboard and screen reader. */
function pin(at, className, label, text, onPress) {
    const html = document.createElement('span');
    html.textContent = text;
    const size = className.includes('best') ? 34 : className.includes('dot') ? 14 : 24;
    const marker = L.marker(at, {
        icon: L.divIcon({className: `pin ${className}`, html, iconSize: [size, size]}),
        keyboard: Boolean(onPress),
        interactive: Boolean(onPress),
        title: label,
        zIndexOffset: className.includes('best') ? 1000 : 0,
    });
    marker.on('add', () => {
        const element = marker.getElement();
        element.setAttribute('role', onPress ? 'button' : 'img');
        element.setAttribute('aria-label', label);
        if (onPress)
            element.addEventListener('keydown', (event) => {
                if (event.key !== 'Enter' && event.key !== ' ') return;
                event.preventDefault();
                onPress();
            });
    });
    if (onPress) marker.on('click', onPress);
    return marker;
}

/* The tile of the best place, which may lie off the tile's centre, towards similar tiles beside it. */
const tileOf = ({answers: [best], top_tiles: tiles}) => tiles.find((tile) => tile.id === best.tile) ?? best;

export class Marks {
    /* at(place): its position as drawn. onHit(rank) and onEntry(entry) are called when a mark is pressed. `dots` has
     * the other pictures' marks, each with its answer. */
    constructor(map, at, onHit, onEntry) {
        Object.assign(this, {map, at, onHit, onEntry, hits: L.layerGroup().addTo(map), dots: new Map()});
    }

    /* The picture shown; null for none. */
    show(entry) {
        this.hits.clearLayers();
        if (!entry?.answer) return;
        const {answers, gps: own} = entry.answer, [best] = answers, {area} = entry.answered;
        const ground = this.at(tileOf(entry.answer)).toBounds(2 * best.half_tile_m);
        L.rectangle(ground, {interactive: false, className: 'ground'}).addTo(this.hits);
        if (own && area?.own)
            L.circle(this.at(own), {radius: area.radius, interactive: false, className: 'search'}).addTo(this.hits);
        if (own) {
            L.polyline([this.at(best), this.at(own)], {interactive: false, className: 'apart'}).addTo(this.hits);
            pin(this.at(own), 'own', 'The picture’s GPS position', '').addTo(this.hits);
        }
        for (const hit of answers)
            pin(this.at(hit), hit.rank === 1 ? 'best' : 'other',
                `Answer ${hit.rank}: ${words.place(hit)}, score ${words.score(hit.score)}`, hit.rank,
                () => this.onHit(hit.rank))
                .addTo(this.hits);
    }

    /* All pictures except the one shown. Unchanged marks stay, so that one change among hundreds is cheap. */
    others(entries, current) {
        const wanted = new Map();
        for (const entry of entries)
            if (entry !== current && entry.answer !== null) wanted.set(entry, entry.answer);
        for (const [entry, dot] of this.dots) {
            if (wanted.get(entry) === dot.answer) continue;
            dot.marker.remove();
            this.dots.delete(entry);
        }
        for (const [entry, answer] of wanted) {
            if (this.dots.has(entry)) continue;
            const marker = pin(this.at(answer.answers[0]), 'dot', entry.name, '', () => this.onEntry(entry));
            this.dots.set(entry, {answer, marker: marker.addTo(this.map)});
        }
    }

    /* Bring the best answer and its GPS position into view, with some surroundings. */
    visit(entry) {
        const {answers: [best], gps: own} = entry.answer, middle = this.at(best);
        const bounds = middle.toBounds(Math.max(6 * best.half_tile_m, 60));
        if (own && this.map.distance(middle, this.at(own)) < 20 * best.half_tile_m) bounds.extend(this.at(own));
        if (isStill)
            this.map.fitBounds(bounds, {animate: false});
        else
            this.map.flyToBounds(bounds, {duration: 0.6});
    }

    inView(entry) {
        return this.map.getBounds().contains(this.at(entry.answer.answers[0]));
    }

    go(hit) { this.map.panTo(this.at(hit), {animate: !isStill}); }
}
