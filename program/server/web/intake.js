/* intake.js - how pictures come in: chosen, dropped anywhere on the page, or pasted. */
import {byId} from './dom.js';

const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');

/* take(files) is called with one file or more. */
export function listen(take) {
    const chooser = byId('file'), veil = byId('veil');
    const give = (files) => {
        if (files.length > 0) take(files);
    };
    let depth = 0; /* dragenter and dragleave come for every element on the way */
    const reset = () => {
        depth = 0;
        veil.hidden = true;
    };

    chooser.addEventListener('change', () => {
        give([...chooser.files]);
        chooser.value = ''; /* so that the same file can be chosen again */
    });
    addEventListener('dragenter', (event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        depth++;
        veil.hidden = false;
    });
    addEventListener('dragover', (event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = 'copy';
    });
    addEventListener('dragleave', () => {
        depth = Math.max(0, depth - 1);
        if (depth === 0) veil.hidden = true;
    });
    addEventListener('drop', (event) => {
        if (!carriesFiles(event)) return;
        event.preventDefault();
        reset();
        give([...event.dataTransfer.files]);
    });
    addEventListener('paste', (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length === 0) return; /* text, into a field */
        event.preventDefault();
        give(files);
    });
}
