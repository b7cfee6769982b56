/* token.js - asks for the bearer token if the server requires one. It is not stored here. */
import {byId} from './dom.js';

/* Resolves to the token; the dialog cannot be cancelled. */
export function askForToken(wrong) {
    const dialog = byId('token'), field = byId('token-text');
    byId('token-notice').textContent = wrong ? 'The server rejected that token.' : '';
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
