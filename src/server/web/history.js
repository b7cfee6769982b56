/* history.js - the list of this visit's pictures: a thumbnail, its name, and how it went. */
import {byId, make} from './dom.js';
import {isWaiting} from './visit.js';
import * as words from './words.js';

function outcome(entry) {
    if (isWaiting(entry)) return 'searching';
    if (entry.state === 'failed') return 'no answer';
    const [best] = entry.answer.answers;
    return best === undefined ? 'not in the circle' : `score ${words.score(best.score)}`;
}

function fill(item, entry, isCurrent) {
    const [button] = item.children, [thumb, name, state] = button.children;
    item.dataset.state = entry.state;
    name.textContent = entry.name;
    state.textContent = outcome(entry);
    thumb.style.backgroundImage = entry.preview === null ? '' : `url("${entry.preview.url}")`;
    if (isCurrent)
        button.setAttribute('aria-current', 'true');
    else
        button.removeAttribute('aria-current');
}

export class History {
    /* open(entry): a picture of the list was chosen. */
    constructor(open) { Object.assign(this, {open, list: byId('entries'), items: new Map()}); }

    add(entry) {
        const button = make(
            'button', {type: 'button', class: 'entry', click: () => this.open(entry)},
            make('span', {class: 'thumb', 'aria-hidden': 'true'}), make('span', {class: 'name'}),
            make('span', {class: 'quiet'}));
        const item = make('li', {'data-entry': entry.id}, button);
        this.items.set(entry, item);
        this.list.prepend(item);
        this.list.scrollLeft = 0;
    }

    update(entries, current) {
        for (const entry of [...entries].reverse())
            if (!this.items.has(entry)) this.add(entry);
        for (const entry of entries) fill(this.items.get(entry), entry, entry === current);
        byId('visit').hidden = entries.length === 0;
        const done = entries.some((entry) => entry.state === 'done');
        byId('geojson').disabled = byId('csv').disabled = !done;
    }

    clear() {
        this.items.clear();
        this.list.replaceChildren();
    }
}
