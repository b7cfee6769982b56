/* api.js - requests to the service that served this page. Every call returns a value or throws an error with a sentence
 * to show. A busy server (503) is retried after the time it gives. If it requires a token, `needToken` is called, and
 * the token stays in this module's memory; pictures are fetched too, instead of named in `src`, so that they carry it.
 * Nothing else is retried unless the user asks for it. */

const base = new URL('../v1/', import.meta.url);
const TRIES = 8;         /* of a busy server, before the user is notified */
const LONGEST_WAIT = 30; /* seconds */

let token = null;
let asking = null; /* the open prompt for a token, one at a time */
let needToken = async () => null;
let onBusy = () => {};
let waits = 0; /* requests waiting for a busy server */

/* `kind`: 'stopped' (no answer), 'busy', 'unreadable' (the file) or 'refused' (see `status`). The message is a sentence
 * for a person. */
export class Problem extends Error {
    constructor(message, kind, status = 0, retryWith = null) {
        super(message);
        Object.assign(this, {kind, status, retryWith});
    }
}

/* ask(wrong): resolves to a token; `wrong`: the last one was rejected. busy(seconds) is called before each wait,
 * busy(null) once nothing waits. */
export function configure({ask, busy}) {
    needToken = ask;
    onBusy = busy;
}

async function renewToken(used) {
    if (used !== token) return; /* another request has asked meanwhile */
    asking ??= Promise.resolve(needToken(used !== null)).finally(() => {
        asking = null;
    });
    token = await asking;
}

function wait(seconds, signal) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, seconds * 1000);
        signal?.addEventListener('abort', () => {
            clearTimeout(timer);
            reject(signal.reason);
        }, {once: true});
    });
}

async function waitBusy(seconds, signal) {
    waits++;
    onBusy(seconds);
    try {
        await wait(seconds * (1 + Math.random() / 4), signal); /* spreads the retries of many pages */
    } finally {
        if (--waits === 0) onBusy(null);
    }
}

/* Why a request failed: the browser reports an unreachable server and an unreadable file alike. */
async function silence(body) {
    try {
        await body?.slice(0, 1).arrayBuffer();
    } catch {
        return new Problem('This file can no longer be read.', 'unreadable');
    }
    return new Problem('The server does not answer. It has stopped, or the network is down.', 'stopped');
}

/* RFC 9457: `detail` is the sentence. */
async function problemOf(reply) {
    let detail = null, retryWith = null;
    try {
        ({detail, retry_with: retryWith = null} = await reply.json());
    } catch { /* not from our server, e.g. a proxy's page */
    }
    if (typeof detail === 'string')
        detail = detail.charAt(0).toUpperCase() + detail.slice(1).replace(/([^.!?])$/, '$1.');
    return new Problem(
        detail || `The server refused with status ${reply.status}.`, reply.status === 503 ? 'busy' : 'refused',
        reply.status, retryWith);
}

async function request(path, {query = {}, signal, ...options} = {}) {
    const address = new URL(path, base);
    for (const [name, value] of Object.entries(query))
        if (value !== null && value !== undefined) address.searchParams.set(name, value);
    for (let tries = 1;; tries++) {
        const used = token;
        const headers = used === null ? {} : {Authorization: `Bearer ${used}`};
        let reply;
        try {
            reply = await fetch(address, {...options, headers, signal, credentials: 'omit'});
        } catch (error) {
            if (signal?.aborted) throw error;
            throw await silence(options.body);
        }
        if (reply.status === 401) {
            await renewToken(used);
        } else if (reply.status === 503 && tries < TRIES) {
            const seconds = Math.min(Math.max(Number(reply.headers.get('Retry-After')) || 1, 0.5), LONGEST_WAIT);
            await waitBusy(seconds, signal);
        } else if (!reply.ok) {
            throw await problemOf(reply);
        } else {
            return reply;
        }
    }
}

/* A body can also be truncated. */
async function whole(reply, kind, signal) {
    try {
        return await reply[kind]();
    } catch (error) {
        if (signal?.aborted) throw error;
        throw new Problem('The server’s answer is truncated.', 'stopped');
    }
}

const json = async (path, options) => whole(await request(path, options), 'json', options?.signal);
const blob = async (path, options) => whole(await request(path, options), 'blob', options?.signal);

export const aboutMap = () => json('map');

/* One picture's answer. heading: null (from the picture, else estimated), 'find' or degrees; area: null for the whole
 * map, { own: true, radius } around the picture's own GPS, or { lat, lon, radius }, in degrees and metres; isPanorama:
 * whether to take it as a full one, whatever its metadata; fov: its field of view in degrees, or null. */
export function locate(picture, {signal, ...question}) {
    return json('locate', {method: 'POST', body: picture, query: queryOf(question), signal});
}

function queryOf({heading, area, isPanorama, fov}) {
    const query = {heading, panorama: isPanorama ? 'yes' : null, fov};
    if (area !== null) {
        query.near = area.own ? 'exif' : `${area.lat.toFixed(8)},${area.lon.toFixed(8)}`;
        query.within = area.radius;
    }
    return query;
}

/* A picture's scores of all tiles, with the options of `locate`: as a layer over the map, or as a GeoTIFF. */
export const scores = (picture, question, signal) =>
    json('scores', {method: 'POST', body: picture, query: queryOf(question), signal});
export const scoresFile = (picture, question) =>
    blob('scores', {method: 'POST', body: picture, query: {...queryOf(question), format: 'tiff'}});

/* A web-map tile, or null if there is no imagery. */
export async function imagery(z, x, y, signal) {
    const reply = await request(`imagery/${z}/${x}/${y}.jpg`, {signal});
    return reply.status === 204 ? null : whole(reply, 'blob', signal);
}

export const tilesWithin = (bbox, signal) => json('tiles', {query: {bbox: bbox.join(',')}, signal});
export const tilePicture = (id, signal) => blob(`tiles/${encodeURIComponent(id)}.jpg`, {signal});

/* The heat map of a picture and a tile, over the picture ('street') or over the tile ('aerial'). */
export function heat(view, picture, tile, {stage, heading, isPanorama, fov, signal}) {
    const query = {view, tile, stage, heading, panorama: isPanorama ? 'yes' : null, fov};
    return blob('heatmap', {method: 'POST', body: picture, query, signal});
}
