/* visit.js - the pictures of this visit and their answers. They are in this page's memory only and are gone with it.
 * Independent of the screen: the watcher is called after every change.
 *
 * An entry: id; file, name, size (pixels or null), preview ({ url, ratio } or null); state 'waiting', 'asking', 'done'
 * or 'failed'; answer (the server's last one, kept on later failures) and answered ({ heading, area, isPanorama, fov },
 * what was asked), or null; problem (a sentence), fault (its kind) and retryWith (see api.Problem), or null; heading and
 * area (see area.js), as the last question had them; isPanorama: the user confirmed that it is a full one, whatever its
 * metadata; fov: the field of view that the user set, degrees, or null. */
import * as api from './api.js';
import * as picture from './picture.js';

const AT_ONCE = 4; /* concurrent requests; the server gathers them into batches */

let entries = [];
let selected = null;
let limits = null;
let nextId = 1;
let running = 0;
let queue = [];
let watcher = () => {};

export const all = () => entries;
export const current = () => selected;
export const isWaiting = (entry) => entry.state === 'waiting' || entry.state === 'asking';

/* watch(entry, what): what is 'changed', 'selected' or 'forgotten'. */
export const watch = (listener) => {
    watcher = listener;
};
export const setLimits = (fromServer) => {
    limits = fromServer;
};

/* The last answer stays in view until the next arrives. */
function settle(entry, state, fields) {
    Object.assign(entry, {state, problem: null, fault: null, retryWith: null}, fields);
    watcher(entry, 'changed');
}

async function work(entry) {
    const {heading, area, isPanorama, fov, control: {signal}} = entry;
    settle(entry, 'asking', {});
    try {
        const answer = await api.locate(entry.file, {heading, area, isPanorama, fov, signal});
        if (!signal.aborted) settle(entry, 'done', {answer, answered: {heading, area, isPanorama, fov}});
    } catch (error) {
        if (!signal.aborted) settle(entry, 'failed', {problem: error.message, fault: error.kind, retryWith: error.retryWith});
    }
}

function pump() {
    while (running < AT_ONCE && queue.length > 0) {
        const entry = queue.shift();
        running++;
        work(entry).finally(() => {
            running--;
            pump();
        });
    }
}

/* Ask, or ask again with other options. An earlier request for the same picture is dropped. */
export function ask(entry, heading, area) {
    if (!entries.includes(entry)) return; /* removed while the slider came to rest */
    entry.control?.abort();
    queue = queue.filter((other) => other !== entry);
    const beyond = picture.beyondLimits(entry.file, entry.size, limits);
    Object.assign(entry, {heading, area, control: new AbortController()});
    if (beyond !== null) {
        settle(entry, 'failed', {problem: beyond});
        return;
    }
    settle(entry, 'waiting', {});
    queue.push(entry);
    pump();
}

/* Ask again, and take it as a full panorama from now on. */
export function trust(entry) {
    entry.isPanorama = true;
    entry.fov = null;
    ask(entry, entry.heading, entry.area);
}

/* Ask again, with this field of view from now on, which a full panorama does not have. */
export function setFov(entry, fov) {
    entry.fov = fov;
    if (fov !== null) entry.isPanorama = false;
    ask(entry, entry.heading, entry.area);
}

/* Whether the questions are the same. */
export const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/* Ask about every picture with this heading, in this area, or both; what is not given is unchanged. Pictures that
 * already have these options are skipped. */
export function askAll({heading, area}) {
    for (const entry of entries) {
        const wanted = [heading === undefined ? entry.heading : heading, area === undefined ? entry.area : area];
        if (!isSame(wanted, [entry.heading, entry.area])) ask(entry, ...wanted);
    }
}

async function begin(entry, area) {
    entry.size = await picture.sizeOf(entry.file);
    if (entries.includes(entry)) ask(entry, null, area);
    if (entry.state !== 'failed') entry.preview = await picture.previewOf(entry.file, entry.size);
    if (entries.includes(entry))
        watcher(entry, 'changed');
    else if (entry.preview !== null)
        URL.revokeObjectURL(entry.preview.url);
}

const NEW = {
    size: null, preview: null, state: 'waiting', answer: null, answered: null, problem: null, fault: null,
    heading: null, isPanorama: false, fov: null, control: null,
};

/* New pictures come first in the list; the first of them is shown. */
export function add(files, area) {
    const fresh = [...files].map(
        (file) => ({...NEW, id: nextId++, file, name: file.name || 'Pasted picture', area}));
    entries = [...fresh, ...entries];
    if (fresh.length > 0) select(fresh[0]);
    for (const entry of fresh) begin(entry, area);
}

export function select(entry) {
    selected = entry;
    watcher(entry, 'selected');
}

export function forget() {
    for (const entry of entries) {
        entry.control?.abort();
        if (entry.preview !== null) URL.revokeObjectURL(entry.preview.url);
    }
    entries = [];
    queue = [];
    selected = null;
    watcher(null, 'forgotten');
}
