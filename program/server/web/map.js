/* map.js - the map: its imagery, or its tiles' outlines if the rasters are missing, its footprint, a scale bar, and the
 * coordinates under the pointer (of the centre, while the arrow keys move the map). There is no base map below it: the
 * page contacts only the server that it came from. */
import * as L from '../leaflet/leaflet.esm.js';

import * as api from './api.js';
import {button, byId, icon, make, show} from './dom.js';
import {near, wrap} from './earth.js';
import {Layers} from './layers.js';
import * as words from './words.js';

const NEAREST = 22;       /* zoom: some 4 cm a pixel at 45 degrees */
const OUTLINES_FROM = 14; /* zoom from which single tiles are requested */
const IMAGERY_FROM = 17;  /* zoom from which an empty tile has no imagery, instead of too much to draw */
const SEEN = 8;           /* pixels of the footprint in a tile, below which missing imagery is not reported */
const SIDE = 256;         /* pixels of a tile as the server draws it */

/* Read once, because Leaflet builds its layers for one or the other. */
export const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;

/* A sentence on the map; null for none. */
function tell(sentence) {
    const note = byId('map-note');
    if (note.textContent !== (sentence ?? '')) note.textContent = sentence ?? '';
}

/* The position at which a place is drawn. */
export const placer = (middle) => (p) => L.latLng(p.lat, near(p.lon, middle));

/* A GeoJSON layer around the middle. */
const drawn = (json, middle, className, options) => L.geoJSON(json, {
    interactive: false,
    coordsToLatLng: ([lon, lat]) => L.latLng(lat, near(lon, middle)),
    style: {className, ...options},
});

/* Web-mercator tiles of the rasters. Those outside the footprint are not requested. With `noWrap` Leaflet passes tiles
 * beyond 180 degrees unchanged, so that they compare with the footprint. On a screen with two or more device pixels per
 * CSS pixel, tiles of the next zoom are shown at half their size (`zoomOffset`). */
const Imagery = L.GridLayer.extend({
    initialize(parts, options) {
        L.GridLayer.prototype.initialize.call(this, options);
        this.parts = parts;
        this.controls = new WeakMap();
        this.bare = new Set(); /* tiles without imagery inside the footprint */
        this.lost = new Map(); /* tiles that failed, and why */
        this.on('tileunload', (event) => {
            this.controls.get(event.tile)?.abort();
            this.bare.delete(event.tile);
            this.lost.delete(event.tile);
            this.tellBare();
        });
    },

    /* Whether a visible part of the footprint lies within. */
    misses(bounds) {
        const pixels = this.getTileSize().x / (bounds.getEast() - bounds.getWest());
        return this.parts.some((part) => {
            const wide = Math.min(part.getEast(), bounds.getEast()) - Math.max(part.getWest(), bounds.getWest());
            return part.overlaps(bounds) && wide * pixels >= SEEN;
        });
    },

    tellBare() {
        const isFar = this._map !== null && this._map.getZoom() < IMAGERY_FROM, [lost] = this.lost.values();
        if (lost !== undefined) return tell(`Some of the imagery could not be loaded. ${lost}`);
        tell(this.bare.size === 0 ? null : isFar ? 'Zoom in to see the imagery.' : 'Some of the imagery is missing.');
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
        const zoom = at.z + this.options.zoomOffset, side = 2 ** zoom, x = ((at.x % side) + side) % side;
        show(image, api.imagery(zoom, x, at.y, control.signal))
            .then((isThere) => {
                if (!isThere && !control.signal.aborted && this.misses(bounds)) this.bare.add(image);
                this.tellBare();
                done(null, image);
            }, (error) => {
                if (!control.signal.aborted) this.lost.set(image, error.message);
                this.tellBare();
                done(error, image);
            });
        return image;
    },
});

/* The boxes around the footprint's polygons. */
function partsOf(footprint, middle) {
    return (footprint?.coordinates ??
            []).map(([ring]) => L.latLngBounds(ring.map(([lon, lat]) => [lat, near(lon, middle)])));
}

function addImagery(map, info, bounds, middle) {
    const zoomOffset = devicePixelRatio >= 1.5 ? 1 : 0; /* read once, as Leaflet's layers are built for one */
    const options = {bounds, noWrap: true, maxZoom: NEAREST, updateWhenZooming: false, keepBuffer: 1};
    return new Imagery(partsOf(info.footprint, middle), {...options, zoomOffset, tileSize: SIDE / 2 ** zoomOffset})
        .addTo(map);
}

const NEARER = 'Zoom in to see single tiles.';

/* If the rasters are missing: the tiles in view, once the map rests. */
function addOutlines(map, middle) {
    const layer = drawn(null, middle, 'outline').addTo(map);
    let control = new AbortController();
    async function refresh() {
        control.abort();
        control = new AbortController();
        const {signal} = control;
        if (map.getZoom() < OUTLINES_FROM) {
            layer.clearLayers();
            return tell(NEARER);
        }
        const box = map.getBounds();
        try {
            const tiles =
                await api.tilesWithin([box.getWest(), box.getSouth(), box.getEast(), box.getNorth()], signal);
            layer.clearLayers();
            layer.addData(tiles);
            tell(tiles.truncated ? NEARER : null);
        } catch (error) { /* the next move retries */
            if (!signal.aborted) tell(`The tiles’ outlines could not be loaded. ${error.message}`);
        }
    }
    map.on('moveend', refresh);
    refresh();
}

function addPointer(map) {
    const output = byId('pointer');
    const told = (at) => { output.textContent = words.place({lat: at.lat, lon: wrap(at.lng)}); };
    map.on('mousemove', (event) => told(event.latlng));
    map.on('move', () => {
        if (!map.getContainer().matches(':hover')) told(map.getCenter());
    });
    map.whenReady(() => told(map.getCenter()));
}

function addFit(map, home) {
    const press =
        button({class: 'fit icon', title: 'Whole map', 'aria-label': 'Whole map', click: home}, icon('fit'));
    L.DomEvent.disableClickPropagation(press);
    new (L.Control.extend({onAdd: () => press}))({position: 'topleft'}).addTo(map);
}

/* The longitude around which the map is drawn. */
export const middleOf = (info) => (info.extent[0] + info.extent[2]) / 2;

/* info: GET /v1/map. */
export function open(info) {
    const element = byId('map');
    const map = L.map(element, {
        attributionControl: false,
        maxZoom: NEAREST,
        zoomAnimation: !isStill,
        fadeAnimation: !isStill,
    });
    element.setAttribute('role', 'application');
    element.setAttribute('aria-label', 'Map. Arrow keys move it, plus and minus zoom.');
    const [west, south, east, north] = info.extent, middle = middleOf(info);
    const bounds = L.latLngBounds([south, west], [north, east]);
    const home = () => map.fitBounds(bounds, {padding: [12, 12], animate: !isStill});
    map.fitBounds(bounds, {padding: [12, 12]});
    L.control.scale({imperial: false, maxWidth: 140}).addTo(map);
    addFit(map, home);
    addPointer(map);
    if (info.tiles > 0) {
        const imagery = info.imagery ? addImagery(map, info, bounds, middle) : null;
        if (imagery === null) addOutlines(map, middle);
        const footprint = drawn(info.footprint, middle, 'footprint', {fill: false}).addTo(map);
        new Layers({imagery, footprint}).addTo(map);
    }
    new ResizeObserver(() => map.invalidateSize({animate: false})).observe(element);
    return map;
}
