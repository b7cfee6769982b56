/* export.js - the visit's answers as GeoJSON and as CSV, with the names that `geoviewmatch locate` gives them. */
import {make} from './dom.js';

const COLUMNS = [
    'photo', 'rank', 'lat', 'lon', 'radius_m', 'score', 'heading', 'heading_estimated', 'margin', 'on_map', 'error_m',
    'tile'
];

/* One row for each answer of each picture, oldest picture first. */
function rows(entries) {
    return [...entries]
        .reverse()
        .filter((entry) => entry.state === 'done')
        .flatMap((entry) => entry.answer.answers.map((hit) => ({
                                                         photo: entry.name,
                                                         ...hit,
                                                         heading_estimated: entry.answer.heading_estimated ?? null,
                                                         margin: entry.answer.margin ?? null,
                                                         on_map: entry.answer.on_map ?? null,
                                                     })));
}

/* RFC 7946: longitude first. */
export function geojson(entries) {
    const features = rows(entries).map(
        (row) => ({type: 'Feature', geometry: {type: 'Point', coordinates: [row.lon, row.lat]}, properties: row}));
    return JSON.stringify({type: 'FeatureCollection', features}, null, 2) + '\n';
}

/* RFC 4180: a value with a comma, a quote or a line's end is quoted. */
function cell(value) {
    if (value === null || value === undefined) return '';
    if (typeof value === 'boolean') return value ? '1' : '0';
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(entries) {
    return [COLUMNS, ...rows(entries).map((row) => COLUMNS.map((name) => row[name]))]
        .map((line) => line.map(cell).join(',') + '\n')
        .join('');
}

export function save(name, type, text) {
    const address = URL.createObjectURL(new Blob([text], {type}));
    make('a', {href: address, download: name}).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000); /* by then the browser has taken it */
}
