/* area.js - the area searched: the whole map, around each photo's GPS position, or a circle (circle.js). An area is
 * null, { own: true, radius } or { lat, lon, radius }. */
import * as L from '../leaflet/leaflet.esm.js';

import {Circle} from './circle.js';
import {afterRest, announce, byId} from './dom.js';
import {isSame} from './visit.js';
import * as words from './words.js';

const RADIUS = 100; /* metres, if the field has no number */
const DRAW = 'Drag on the map, from the circle’s centre to its edge. A click uses the radius above. Esc cancels.';

export class Area {
    /* at(place): its position as drawn. changed(area): after each completed change. all(area): apply it to all
     * pictures. */
    constructor(map, at, {changed, all}) {
        Object.assign(this, {map, at, value: null, field: byId('circle-radius')});
        this.tell = afterRest(300, () => changed(this.value)); /* a held arrow key is one change */
        this.circle = new Circle(map, at, {
            changed: (circle, isOver) => this.set(circle, isOver),
            drawing: () => this.show(),
        });
        byId('area-all').addEventListener('click', () => all(this.value));
        this.wire();
        this.show();
    }

    wire() {
        const press = (id, act) => byId(id).addEventListener('click', act);
        L.DomEvent.disableClickPropagation(byId('circle'));
        byId('circle').addEventListener('submit', (event) => event.preventDefault());
        press('area-whole', () => {
            this.set(null, true);
            announce('Searching the whole map.');
        });
        press('area-own', () => {
            this.set({own: true, radius: this.radius()}, true);
            announce(`Searching within ${words.metres(this.value.radius)} of the photo’s GPS position.`);
        });
        press('circle-draw', () => this.circle.draw(!this.circle.isDrawing, this.radius()));
        press('circle-place', () => {
            this.circle.set(this.map.getCenter(), this.radius(), true);
            announce(`Searching within ${words.metres(this.value.radius)} of the map’s centre.`);
        });
        this.field.addEventListener('change', () => {
            const radius = this.radius();
            if (this.value?.own)
                this.set({own: true, radius}, true);
            else if (this.value !== null)
                this.circle.set(this.at(this.value), radius, true);
        });
    }

    /* The field's radius, corrected if it is not a number. */
    radius() {
        const value = Number(this.field.value);
        const radius = Number.isFinite(value) && value >= 1 ? value : RADIUS;
        this.field.value = radius;
        return radius;
    }

    set(area, isOver) {
        this.value = area;
        if (area === null || area.own) {
            this.circle.draw(false);
            this.circle.remove();
        }
        if (area !== null) this.field.value = area.radius;
        this.show();
        if (isOver) this.tell();
    }

    /* The button of the current area is pressed or, while a circle is drawn, the one for drawing. */
    show() {
        const {circle: {isDrawing}, value} = this;
        const pressed = isDrawing ? 'circle-draw' : value === null ? 'area-whole' : value.own ? 'area-own' : 'circle-place';
        for (const id of ['area-whole', 'area-own', 'circle-draw', 'circle-place'])
            byId(id).setAttribute('aria-pressed', id === pressed);
        byId('circle-hint').textContent = isDrawing ? DRAW : '';
    }

    /* Offer the area for all pictures if some were searched in another. */
    offer(entries) {
        const others = entries.filter((entry) => !isSame(entry.area, this.value));
        byId('area-all').hidden = entries.length < 2 || others.length === 0;
        byId('area-all').textContent = `Same area for all ${entries.length} photos`;
    }
}
