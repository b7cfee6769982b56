/* token.js - asks for the bearer token of a server that wants one. It is handed over and kept nowhere here. */
import {byId} from './dom.js';

/* Resolves to what was typed; the dialog cannot be left without. */
export function askForToken(wrong) {
    const dialog = byId('token'), field = byId('token-text');
    byId('token-notice').textContent = wrong ? 'The server did not take that token.' : '';
    field.value = '';
    return new Promise((resolve) => {
        const keep = (event) => event.preventDefault();
        dialog.addEventListener('cancel', keep);
        dialog.addEventListener('close', () => {
            dialog.removeEventListener('cancel', keep);
            resolve(field.value.trim());
            field.value = '';
        }, {once: true});
        dialog.showModal();
    });
}
