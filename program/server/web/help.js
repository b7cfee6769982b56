/* help.js - the help dialog: accepted pictures, the meaning of figures, versions. */
import {byId} from './dom.js';

/* part: the id of the heading to start at; null for the top. */
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

/* info: GET /v1/map. */
export function tellVersion(info) {
    byId('version').textContent = `GeoViewMatch ${info.version}, weights ${info.weights.fingerprint}.`;
}
