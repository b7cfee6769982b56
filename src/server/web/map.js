/* map.js - the map: the index's own imagery, or its tiles' outlines where the rasters are gone, its footprint, a scale
 * bar, and the coordinates under the pointer (of the middle, while the arrow keys move the map). */
import * as L from '../leaflet/leaflet.esm.js';

import * as api from './api.js';
import {byId, icon, make, show} from './dom.js';
import * as words from './words.js';

const NEAREST = 22;       /* zoom: some 4 cm a pixel at 45 degrees */
const OUTLINES_FROM = 14; /* zoom from which single tiles are asked for */

/* Asked once: Leaflet builds its layers for one or the other. */
export const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;

/* Web-mercator squares of the rasters. Those which no part of the footprint touches are not asked for. */
const Imagery = L.GridLayer.extend({
    initialize(parts, options) {
        L.GridLayer.prototype.initialize.call(this, options);
        this.parts = parts;
        this.controls = new WeakMap();
        this.on('tileunload', (event) => this.controls.get(event.tile)?.abort());
    },

    createTile(at, done) {
        const image = make('img', {alt: ''});
        const bounds = this._tileCoordsToBounds(at);
        if (!this.parts.some((part) => part.overlaps(bounds))) {
            setTimeout(() => done(null, image));
            return image;
        }
        const control = new AbortController();
        this.controls.set(image, control);
        show(image, api.imagery(at.z, at.x, at.y, control.signal))
            .then(() => done(null, image), (error) => done(error, image));
        return image;
    },
});

/* The boxes around the footprint's polygons. */
function partsOf(footprint) {
    return (footprint?.coordinates ?? []).map(([ring]) => L.latLngBounds(ring.map(([lon, lat]) => [lat, lon])));
}

function addImagery(map, info, bounds) {
    const layer =
        new Imagery(partsOf(info.footprint), {bounds, maxZoom: NEAREST, updateWhenZooming: false, keepBuffer: 1});
    layer.addTo(map);
}

/* Where the rasters are gone: the tiles in view, once the map rests. */
function addOutlines(map) {
    const layer = L.geoJSON(null, {interactive: false, style: {className: 'outline'}}).addTo(map);
    let control = new AbortController();
    async function refresh() {
        control.abort();
        control = new AbortController();
        if (map.getZoom() < OUTLINES_FROM) return layer.clearLayers();
        const box = map.getBounds();
        try {
            const tiles =
                await api.tilesWithin([box.getWest(), box.getSouth(), box.getEast(), box.getNorth()], control.signal);
            layer.clearLayers();
            layer.addData(tiles);
        } catch { /* the next move asks again */
        }
    }
    map.on('moveend', refresh);
    refresh();
}

function addPointer(map) {
    const output = byId('pointer');
    const tell = (at) => {
        output.textContent = words.place({lat: at.lat, lon: at.wrap().lng});
    };
    map.on('mousemove', (event) => tell(event.latlng));
    map.on('move', () => {
        if (!map.getContainer().matches(':hover')) tell(map.getCenter());
    });
    map.whenReady(() => tell(map.getCenter()));
}

function addFit(map, home) {
    const Fit = L.Control.extend({
        onAdd() {
            const button = make(
                'button',
                {type: 'button', class: 'fit icon', title: 'The whole map', 'aria-label': 'The whole map', click: home},
                icon('fit'));
            L.DomEvent.disableClickPropagation(button);
            return button;
        },
    });
    new Fit({position: 'topleft'}).addTo(map);
}

/* The map of an index, as `GET /v1/map` describes it. */
export function open(info) {
    const element = byId('map');
    const map = L.map(element, {
        attributionControl: false,
        maxZoom: NEAREST,
        zoomAnimation: !isStill,
        fadeAnimation: !isStill,
        worldCopyJump: true
    });
    element.setAttribute('role', 'application');
    element.setAttribute('aria-label', 'Map. Arrow keys move it, plus and minus zoom.');
    const [west, south, east, north] = info.extent ?? [-180, -60, 180, 70];
    const bounds = L.latLngBounds([south, west], [north, east]);
    const home = () => map.fitBounds(bounds, {padding: [12, 12], animate: !isStill});
    map.fitBounds(bounds, {padding: [12, 12]});
    L.control.scale({imperial: false, maxWidth: 140}).addTo(map);
    addFit(map, home);
    addPointer(map);
    if (info.tiles > 0) {
        if (info.imagery)
            addImagery(map, info, bounds);
        else
            addOutlines(map);
        L.geoJSON(info.footprint, {interactive: false, style: {className: 'footprint', fill: false}}).addTo(map);
    }
    new ResizeObserver(() => map.invalidateSize({animate: false})).observe(element);
    return map;
}
