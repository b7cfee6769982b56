/* table.js - the dialog with a table of all pictures of the visit, sortable by any column. */
import {button, byId, make} from './dom.js';
import {isWaiting} from './visit.js';
import * as words from './words.js';

const bestOf = (entry) => entry.answer?.answers[0];

function outcome(entry) {
    if (entry.answer !== null) return words.verdict(entry.answer).word;
    return isWaiting(entry) ? 'searching' : 'no answer';
}

/* Title; the value shown and sorted by, undefined last; the format of a number. */
const COLUMNS = [
    ['Photo', (entry) => entry.name],
    ['Answer', outcome],
    ['Latitude', (entry) => bestOf(entry)?.lat, words.degrees],
    ['Longitude', (entry) => bestOf(entry)?.lon, words.degrees],
    ['Score', (entry) => bestOf(entry)?.score, words.score],
    ['Margin', (entry) => entry.answer?.margin ?? undefined, words.score],
    ['From its own GPS', (entry) => bestOf(entry)?.gps_m, words.metres],
];

function median(values) {
    const sorted = [...values].sort((a, b) => a - b), half = sorted.length >> 1;
    return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/* "30 photos: 20 clear, 9 weak, 1 no answer. Median distance from their own GPS: 12 m." */
export function summary(entries) {
    const counts = new Map();
    for (const entry of entries) counts.set(outcome(entry), (counts.get(outcome(entry)) ?? 0) + 1);
    const order = ['clear', 'weak', 'only place', 'no answer', 'searching'].filter((word) => counts.has(word));
    const parts = order.map((word) => `${counts.get(word)} ${word}`);
    const off = entries.map((entry) => bestOf(entry)?.gps_m).filter((m) => typeof m === 'number');
    const gps = off.length > 1 ? ` Median distance from their own GPS: ${words.metres(median(off))}.` : '';
    return `${words.count(entries.length, 'photo', 'photos')}: ${parts.join(', ')}.${gps}`;
}

function compare(a, b) {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return typeof a === 'number' ? a - b : a.localeCompare(b, 'en', {numeric: true});
}

export class Table {
    /* open(entry): a picture was chosen. */
    constructor(open) {
        Object.assign(this, {choose: open, dialog: byId('table'), column: 0, falls: false, entries: []});
        byId('table-open').addEventListener('click', () => {
            this.dialog.showModal();
            this.draw();
        });
        byId('table-close').addEventListener('click', () => this.dialog.close());
        this.heads = COLUMNS.map(
            ([title], i) => make('th', {scope: 'col'}, button({click: () => this.sort(i)}, title)));
        byId('table-head').append(make('tr', {}, ...this.heads));
    }

    sort(column) {
        this.falls = column === this.column && !this.falls;
        this.column = column;
        this.draw();
    }

    update(entries, current) {
        Object.assign(this, {entries, current});
        if (this.dialog.open) this.draw();
    }

    line(entry) {
        const open = () => {
            this.dialog.close();
            this.choose(entry);
        };
        const written = (value, how) => (typeof value === 'number' ? how(value) : value ?? '–');
        const cells = COLUMNS.slice(1).map(([, value, how], i) => make(
            'td', {class: i === 0 ? 'outcome' : 'figure'}, written(value(entry), how)));
        cells[0].dataset.outcome = outcome(entry);
        const head = make('th', {scope: 'row', title: entry.problem}, button({click: open}, entry.name));
        return make('tr', {'aria-current': entry === this.current}, head, ...cells);
    }

    draw() {
        const [, value] = COLUMNS[this.column], sign = this.falls ? -1 : 1;
        const isLast = (entry) => value(entry) === undefined; /* those without a value stay last */
        const lines = [...this.entries].sort(
            (a, b) => isLast(a) || isLast(b) ? compare(value(a), value(b)) : sign * compare(value(a), value(b)));
        this.heads.forEach((head, i) => {
            head.setAttribute('aria-sort', i !== this.column ? 'none' : this.falls ? 'descending' : 'ascending');
        });
        byId('table-summary').textContent = summary(this.entries);
        byId('table-body').replaceChildren(...lines.map((entry) => this.line(entry)));
    }
}
