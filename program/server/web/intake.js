/* intake.js - receives pictures: chosen, dropped anywhere on the page, or pasted. */
import {byId} from './dom.js';

function onFiles(kind, act) {
    addEventListener(kind, (event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        event.preventDefault();
        act(event.dataTransfer);
    });
}

/* take(files) is called with at least one file. */
export function listen(take) {
    const chooser = byId('file'), veil = byId('veil');
    const give = (files) => {
        if (files.length > 0) take(files);
    };
    let depth = 0; /* dragenter and dragleave are sent for every element passed */

    chooser.addEventListener('change', () => {
        give([...chooser.files]);
        chooser.value = ''; /* so that the same file can be chosen again */
    });
    onFiles('dragenter', () => {
        depth++;
        veil.hidden = false;
    });
    onFiles('dragover', (transfer) => { transfer.dropEffect = 'copy'; });
    addEventListener('dragleave', () => {
        depth = Math.max(0, depth - 1);
        veil.hidden = depth === 0;
    });
    onFiles('drop', (transfer) => {
        depth = 0;
        veil.hidden = true;
        give([...transfer.files]);
    });
    addEventListener('paste', (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length === 0) return; /* text, into a field */
        event.preventDefault();
        give(files);
    });
}
