/* help.js - the dialog that says what the page takes, what its figures mean, and what it runs on. */
import {byId} from './dom.js';

/* part: the id of the heading to begin at; null for the top. */
export function openHelp(part = null) {
    const dialog = byId('help');
    dialog.showModal();
    const at = part === null ? dialog : byId(part);
    at.scrollIntoView({block: 'start'});
    at.focus();
}

export function listen() {
    byId('help-open').addEventListener('click', () => openHelp());
    byId('help-close').addEventListener('click', () => byId('help').close());
}

/* What the server said of itself. */
export function tellVersion(info) {
    byId('version').textContent = `GeoViewMatch ${info.version}, weights ${info.weights.fingerprint}.`;
}
