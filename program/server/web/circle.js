/* circle.js - a circle on the map, drawn by dragging or set. Its two handles move and resize it, by pointer or by arrow
 * keys. */
import * as L from '../leaflet/leaflet.esm.js';

import {announce} from './dom.js';
import {wrap} from './earth.js';

const STEP = 12; /* pixels that an arrow key moves a handle */
const LEAST = 1; /* metres */
const KEYS = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1]
};

/* A handle at a place; `moved(latlng, isOver)` while and after it is dragged or nudged. */
function handle(className, label, moved) {
    const marker = L.marker([0, 0], {
        draggable: true,
        autoPan: false,
        zIndexOffset: 2000,
        title: label,
        icon: L.divIcon({className: `handle ${className}`, iconSize: [22, 22]})
    });
    marker.on('drag', () => moved(marker.getLatLng(), false));
    marker.on('dragend', () => moved(marker.getLatLng(), true));
    marker.on('add', () => {
        const element = marker.getElement();
        element.setAttribute('role', 'button');
        element.setAttribute('aria-label', label);
        element.addEventListener('keydown', (event) => {
            const step = KEYS[event.key];
            if (step === undefined) return;
            event.preventDefault();
            event.stopPropagation();
            const map = marker._map, at = map.latLngToContainerPoint(marker.getLatLng());
            moved(map.containerPointToLatLng(at.add(L.point(step).multiplyBy(STEP))), true);
        });
    });
    return marker;
}

export class Circle {
    /* at(place): its position as drawn. changed(circle, isOver): during and after a change; { lat, lon, radius }.
     * drawing(on): whether dragging draws now. */
    constructor(map, at, {changed, drawing}) {
        Object.assign(this, {map, at, changed, drawing, value: null, edge: 90, isDrawing: false});
        this.disc = L.circle([0, 0], {radius: 1, interactive: false, className: 'search'});
        this.middle = handle(
            'middle', 'Circle’s centre: arrow keys move it', (at, isOver) => this.set(at, this.value.radius, isOver));
        this.rim =
            handle('rim', 'Circle’s edge: arrow keys change its radius', (at, isOver) => this.resize(at, isOver));
        document.addEventListener('keydown', (event) => {
            if (event.key === 'Escape') this.draw(false);
        });
        map.getContainer().addEventListener('pointerdown', (event) => this.begin(event), {capture: true});
    }

    /* While drawing, dragging draws rather than moves the map. radius: of a mere click's circle. */
    draw(on, radius) {
        if (on === this.isDrawing) return;
        Object.assign(this, {isDrawing: on, clicked: radius});
        this.map.getContainer().classList.toggle('drawing', on);
        this.map.dragging[on ? 'disable' : 'enable']();
        this.drawing(on);
        if (on) announce('Drag on the map, from the circle’s centre to its edge. Escape cancels.');
    }

    begin(event) {
        if (!this.isDrawing || event.button !== 0 || event.target.closest('.leaflet-control, .handle')) return;
        event.preventDefault();
        event.stopPropagation();
        const element = this.map.getContainer(), centre = this.map.mouseEventToLatLng(event);
        const radius = (at) => this.map.distance(centre, this.map.mouseEventToLatLng(at));
        const move = (at) => this.set(centre, radius(at), false);
        const end = (at) => {
            element.removeEventListener('pointermove', move);
            element.removeEventListener('pointerup', end);
            element.removeEventListener('pointercancel', end);
            const isClick = Math.hypot(at.clientX - event.clientX, at.clientY - event.clientY) < 6;
            this.set(centre, isClick ? this.clicked : radius(at), true);
            this.draw(false);
        };
        element.setPointerCapture(event.pointerId);
        element.addEventListener('pointermove', move);
        element.addEventListener('pointerup', end);
        element.addEventListener('pointercancel', end);
    }

    /* The handle on the edge sets the radius; it stays on the side it was moved to. */
    resize(at, isOver) {
        const centre = this.at(this.value);
        const p = this.map.latLngToContainerPoint(at).subtract(this.map.latLngToContainerPoint(centre));
        if (p.x !== 0 || p.y !== 0) this.edge = Math.atan2(p.x, -p.y) * 180 / Math.PI;
        this.set(centre, this.map.distance(centre, at), isOver);
    }

    /* The point of the edge in the direction `edge` (degrees clockwise from north). */
    rimAt(centre, radius) {
        const box = centre.toBounds(2 * radius), angle = this.edge * Math.PI / 180;
        return [
            centre.lat + Math.cos(angle) * (box.getNorth() - centre.lat),
            centre.lng + Math.sin(angle) * (box.getEast() - centre.lng)
        ];
    }

    set(centre, radius, isOver) {
        const metres = Math.max(LEAST, Math.round(radius * 10) / 10);
        this.value = {lat: centre.lat, lon: wrap(centre.lng), radius: metres};
        const at = this.at(this.value);
        this.disc.setLatLng(at).setRadius(metres).addTo(this.map);
        this.middle.setLatLng(at).addTo(this.map);
        this.rim.setLatLng(this.rimAt(at, metres)).addTo(this.map);
        this.changed(this.value, isOver);
    }

    remove() {
        this.value = null;
        for (const layer of [this.disc, this.middle, this.rim]) layer.remove();
    }
}
