/* api.js - requests to the service that served this page. Every answer is a value or an error with a sentence to show.
 * A busy server (503) is asked again when it says so. Where it wants a token, `needToken` is called, and the token
 * stays in this module's memory; pictures are fetched too, rather than named in `src`, so that they carry it. Nothing
 * else is asked again unless the user says so. */

const base = new URL('../v1/', import.meta.url);
const TRIES = 8;         /* of a busy server, before the user is told */
const LONGEST_WAIT = 30; /* seconds */

let token = null;
let asking = null; /* the one question for a token that is open */
let needToken = async () => null;
let onBusy = () => {};
let waits = 0; /* requests that wait for a busy server */

/* `kind`: 'stopped' nobody answers, 'busy', 'unreadable' (the file), 'refused' (see `status`). The message is a
 * sentence for a person. */
export class Problem extends Error {
    constructor(message, kind, status = 0, retryWith = null) {
        super(message);
        Object.assign(this, {kind, status, retryWith});
    }
}

/* ask(wrong): resolves to a token, `wrong` says that the last one was not taken; busy(seconds) before each
 * wait, busy(null) once none waits. */
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
        await wait(seconds * (1 + Math.random() / 4), signal); /* many pages shall not come back at once */
    } finally {
        if (--waits === 0) onBusy(null);
    }
}

/* Why a request failed: the browser says the same of a server that is gone and of a file that it can no longer send. */
async function silence(body) {
    try {
        await body?.slice(0, 1).arrayBuffer();
    } catch {
        return new Problem('This file can no longer be read.', 'unreadable');
    }
    return new Problem('The server does not answer. It has stopped, or the network is gone.', 'stopped');
}

/* RFC 9457: `detail` is the sentence. */
async function problemOf(reply) {
    let detail = null, retryWith = null;
    try {
        ({detail, retry_with: retryWith = null} = await reply.json());
    } catch { /* not from our server, such as a proxy's page */
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

/* A body can break off half-way, too. */
async function whole(reply, kind, signal) {
    try {
        return await reply[kind]();
    } catch (error) {
        if (signal?.aborted) throw error;
        throw new Problem('The server broke off its answer.', 'stopped');
    }
}

const json = async (path, options) => whole(await request(path, options), 'json', options?.signal);
const blob = async (path, options) => whole(await request(path, options), 'blob', options?.signal);

export const aboutMap = () => json('map');

/* One picture's answer. heading: null (as the picture says, else found), 'find' or degrees; area: null for the whole
 * map, { own: true, radius } around the picture's own GPS, or { lat, lon, radius }, in degrees and metres; isPanorama:
 * whether it is a full one whatever it says of itself. */
export function locate(picture, {signal, ...question}) {
    return json('locate', {method: 'POST', body: picture, query: queryOf(question), signal});
}

function queryOf({heading, area, isPanorama}) {
    const query = {heading, panorama: isPanorama ? 'yes' : null};
    if (area !== null) {
        query.near = area.own ? 'exif' : `${area.lat.toFixed(8)},${area.lon.toFixed(8)}`;
        query.within = area.radius;
    }
    return query;
}

/* How similar a picture is to each tile, asked as `locate` is: as a layer over the map, or as a GeoTIFF. */
export const scores = (picture, question, signal) =>
    json('scores', {method: 'POST', body: picture, query: queryOf(question), signal});
export const scoresFile = (picture, question) =>
    blob('scores', {method: 'POST', body: picture, query: {...queryOf(question), format: 'tiff'}});

/* A square of the map, or null if there is nothing to see. */
export async function imagery(z, x, y, signal) {
    const reply = await request(`imagery/${z}/${x}/${y}.jpg`, {signal});
    return reply.status === 204 ? null : whole(reply, 'blob', signal);
}

export const tilesWithin = (bbox, signal) => json('tiles', {query: {bbox: bbox.join(',')}, signal});
export const tilePicture = (id, signal) => blob(`tiles/${encodeURIComponent(id)}.jpg`, {signal});

/* What a picture and a tile have in common, over the picture ('street') or over the tile ('aerial'). */
export function heat(view, picture, tile, {stage, heading, isPanorama, signal}) {
    const query = {view, tile, stage, heading, panorama: isPanorama ? 'yes' : null};
    return blob('heatmap', {method: 'POST', body: picture, query, signal});
}
