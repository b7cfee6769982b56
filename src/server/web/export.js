/* export.js - the visit's answers as GeoJSON and as CSV, with the names that `geoviewmatch locate` gives them, what was
 * asked, and of what map. A picture without an answer has a row with the sentence that says why. */
import {make} from './dom.js';

const COLUMNS = [
    'photo', 'rank', 'lat', 'lon', 'half_tile_m', 'score', 'heading', 'heading_estimated', 'margin', 'weak', 'error_m',
    'gps_lat', 'gps_lon', 'gps_m', 'tile', 'source', 'problem', 'near_lat', 'near_lon', 'within_m', 'heading_asked', 'map',
    'weights'
];

/* A question's part of a row. heading_asked: degrees, "find", or null for as the picture says. */
const questionOf = ({heading, circle}) => ({
    near_lat: circle?.lat ?? null,
    near_lon: circle?.lon ?? null,
    within_m: circle?.radius ?? null,
    heading_asked: heading,
});

function answersOf(entry) {
    const {answers, gps, ...facts} = entry.answer;
    return answers.map((hit) => ({
                           ...hit,
                           heading_estimated: facts.heading_estimated ?? null,
                           margin: facts.margin ?? null,
                           weak: facts.weak ?? null,
                           gps_lat: gps?.lat ?? null,
                           gps_lon: gps?.lon ?? null,
                           ...questionOf(entry.answered),
                       }));
}

/* One row for each answer of each picture and for each failure, oldest picture first. */
function rows(entries, info) {
    return [...entries].reverse().flatMap(
        (entry) => [...(entry.answer === null ? [] : answersOf(entry)),
                    ...(entry.problem === null ? [] : [{...questionOf(entry), problem: entry.problem}]),
    ].map((row) => ({photo: entry.name, ...row, map: info.name, weights: info.weights.fingerprint})));
}

/* RFC 7946: longitude first; a feature without a place has no geometry. */
export function geojson(entries, info) {
    const features = rows(entries, info).map((row) => ({
                                                 type: 'Feature',
                                                 geometry: row.problem ?
                                                     null :
                                                     {type: 'Point', coordinates: [row.lon, row.lat]},
                                                 properties: row,
                                             }));
    return JSON.stringify({type: 'FeatureCollection', features}, null, 2) + '\n';
}

/* RFC 4180: a value with a comma, a quote or a line's end is quoted. A text (a file's name) that a spreadsheet would
 * take for a formula gets an apostrophe first; numbers are numbers. */
function cell(value) {
    if (value === null || value === undefined) return '';
    if (typeof value === 'boolean') return value ? '1' : '0';
    const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(entries, info) {
    return [COLUMNS, ...rows(entries, info).map((row) => COLUMNS.map((name) => row[name]))]
        .map((line) => line.map(cell).join(',') + '\n')
        .join('');
}

export function save(name, type, text) {
    const address = URL.createObjectURL(new Blob([text], {type}));
    make('a', {href: address, download: name}).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000); /* by then the browser has taken it */
}
