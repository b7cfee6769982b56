/* area.js - where on the map is searched: all of it, around the place that each photo's own GPS gives, or in a circle
 * (circle.js). An area is null, { own: true, radius } or { lat, lon, radius }. */
import * as L from '../leaflet/leaflet.esm.js';

import {Circle} from './circle.js';
import {afterRest, announce, byId} from './dom.js';
import {isSame} from './visit.js';
import * as words from './words.js';

const RADIUS = 100; /* metres, of a field without a number */
const DRAW = 'Drag on the map, from the circle’s middle to its edge. A click takes the radius above. Esc ends it.';

export class Area {
    /* at(place): where it is drawn. changed(area): after each change that is over. all(area): it is wanted for all
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
            announce('The whole map is searched.');
        });
        press('area-own', () => {
            this.set({own: true, radius: this.radius()}, true);
            announce(`Searching within ${words.metres(this.value.radius)} of the photo’s own GPS.`);
        });
        press('circle-draw', () => this.circle.draw(!this.circle.isDrawing, this.radius()));
        press('circle-place', () => {
            this.circle.set(this.map.getCenter(), this.radius(), true);
            announce(`Searching within ${words.metres(this.value.radius)} of the map’s middle.`);
        });
        this.field.addEventListener('change', () => {
            const radius = this.radius();
            if (this.value?.own)
                this.set({own: true, radius}, true);
            else if (this.value !== null)
                this.circle.set(this.at(this.value), radius, true);
        });
    }

    /* The field's radius, mended where it is no number. */
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

    /* Of the buttons, the one that says where is searched is pressed, and while a circle is drawn that for it. */
    show() {
        const {circle: {isDrawing}, value} = this;
        const pressed = isDrawing ? 'circle-draw' : value === null ? 'area-whole' : value.own ? 'area-own' : 'circle-place';
        for (const id of ['area-whole', 'area-own', 'circle-draw', 'circle-place'])
            byId(id).setAttribute('aria-pressed', id === pressed);
        byId('circle-hint').textContent = isDrawing ? DRAW : '';
    }

    /* Offer the area for all pictures where some were asked about another. */
    offer(entries) {
        const others = entries.filter((entry) => !isSame(entry.area, this.value));
        byId('area-all').hidden = entries.length < 2 || others.length === 0;
        byId('area-all').textContent = `Same area for all ${entries.length} photos`;
    }
}
