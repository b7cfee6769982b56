/* marks.js - answers on the map: of the picture shown, the best place with its radius, the others fainter, and where
 * its own GPS says it was; of the visit's other pictures, a dot at the best place. */
import * as L from '../leaflet/leaflet.esm.js';

import {isStill} from './map.js';
import * as words from './words.js';

/* A marker that a keyboard reaches and a screen reader names. */
function pin(at, className, label, text, onPress) {
    const html = document.createElement('span');
    html.textContent = text;
    const size = className.includes('best') ? 34 : className.includes('dot') ? 14 : 24;
    const marker = L.marker([at.lat, at.lon], {
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

export class Marks {
    /* onHit(rank) and onEntry(entry) are called when a mark is pressed. */
    constructor(map, onHit, onEntry) {
        Object.assign(this, {map, onHit, onEntry, hits: L.layerGroup().addTo(map), dots: L.layerGroup().addTo(map)});
    }

    /* The picture shown; null for none. */
    show(entry) {
        this.hits.clearLayers();
        const answers = entry?.answer?.answers ?? [];
        const [best] = answers, own = entry?.answer?.exif;
        if (best === undefined) return;
        L.circle([best.lat, best.lon], {radius: best.radius_m, interactive: false, className: 'reach'})
            .addTo(this.hits);
        if (own) {
            L.polyline([[best.lat, best.lon], [own.lat, own.lon]], {interactive: false, className: 'apart'})
                .addTo(this.hits);
            pin(own, 'own', 'Where the picture’s own GPS says it was', '').addTo(this.hits);
        }
        for (const hit of answers)
            pin(hit, hit.rank === 1 ? 'best' : 'other',
                `Answer ${hit.rank}: ${words.place(hit)}, score ${words.score(hit.score)}`, hit.rank,
                () => this.onHit(hit.rank))
                .addTo(this.hits);
    }

    /* All pictures but the one shown. */
    others(entries) {
        this.dots.clearLayers();
        for (const entry of entries) {
            const best = entry.answer?.answers?.[0];
            if (best !== undefined) pin(best, 'dot', entry.name, '', () => this.onEntry(entry)).addTo(this.dots);
        }
    }

    /* Bring the best answer and what belongs to it into view, as near as shows its surroundings. */
    visit(entry) {
        const best = entry.answer?.answers?.[0], own = entry.answer?.exif;
        if (best === undefined) return;
        const bounds = L.latLng(best.lat, best.lon).toBounds(Math.max(6 * best.radius_m, 60));
        if (own && this.map.distance([best.lat, best.lon], [own.lat, own.lon]) < 20 * best.radius_m)
            bounds.extend([own.lat, own.lon]);
        if (isStill)
            this.map.fitBounds(bounds, {animate: false});
        else
            this.map.flyToBounds(bounds, {duration: 0.6});
    }

    inView(entry) {
        const best = entry.answer.answers[0];
        return best === undefined || this.map.getBounds().contains([best.lat, best.lon]);
    }

    go(hit) { this.map.panTo([hit.lat, hit.lon], {animate: !isStill}); }
}
