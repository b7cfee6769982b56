/* export.js - the visit's answers as CSV and as GeoJSON, with the columns, names and digits of `geoviewmatch locate`
 * (cli/locate_print.c), so that files of both can be put together. Two columns stay empty here: `error_m`, as nobody
 * tells the page the true place, and `source`, as the service keeps its files' names to itself. */
import {make} from './dom.js';

const COLUMNS = [
    'photo', 'rank', 'lat', 'lon', 'half_tile_m', 'score', 'heading', 'heading_estimated', 'margin', 'weak', 'error_m',
    'gps_lat', 'gps_lon', 'gps_m', 'tile', 'source', 'p', 'p_within_25_m', 'p_within_50_m', 'p_within_100_m', 'radius_90_m',
    'calibrated', 'fov', 'fov_from', 'heading_from', 'problem',
];
/* Digits of numbers that are not integers. */
const DECIMALS = {
    lat: 8, lon: 8, half_tile_m: 1, score: 6, heading: 2, margin: 6, gps_lat: 8, gps_lon: 8, gps_m: 2, p: 6,
    p_within_25_m: 6, p_within_50_m: 6, p_within_100_m: 6, radius_90_m: 1, fov: 2,
};

const oldestFirst = (entries) => [...entries].reverse();

function rowsOf(entry) {
    const {answers = [], gps = null, camera, ...facts} = entry.answer ?? {};
    const {fov, fov_from, heading_from} = camera ?? {}; /* the others are in the GeoJSON */
    const more = {gps_lat: gps?.lat, gps_lon: gps?.lon, fov, fov_from, heading_from};
    const rows = answers.map((hit) => ({...facts, ...hit, ...more}));
    if (entry.problem !== null) rows.push({problem: entry.problem});
    return rows.map((row) => ({...row, photo: entry.name}));
}

/* A heading that is rounded to 360 degrees is 0. */
const rounded = (name, value) => (name === 'heading' && value >= 359.995 ? 0 : value);

/* RFC 4180: a value with a comma, a quote or a line's end is quoted. A text (a file's name) that a spreadsheet would
 * take for a formula gets an apostrophe first; numbers are numbers. */
function cell(value, decimals = 0) {
    if (value === null || value === undefined) return '';
    if (typeof value === 'boolean') return value ? '1' : '0';
    if (typeof value === 'number') return value.toFixed(decimals);
    const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/* A row for each answer of each picture, and one with the error for a picture without an answer. */
export function csv(entries) {
    const line = (row) => COLUMNS.map((name) => cell(rounded(name, row[name]), DECIMALS[name]));
    return [COLUMNS, ...oldestFirst(entries).flatMap(rowsOf).map(line)]
        .map((cells) => cells.join(',') + '\n')
        .join('');
}

/* The options of the question, if any: the circle, or the radius around its GPS position; the heading; whether it was
 * taken as a full panorama on the user's word; the field of view. */
function questionOf({heading, area, isPanorama, fov}) {
    const near = area === null ? null : area.own ? 'exif' : [area.lon, area.lat];
    return {near, within_m: area?.radius ?? null, heading, panorama: isPanorama, fov};
}

/* RFC 7946: longitude first, a point for each answer. Beside the properties that `locate` writes, features say what was
 * asked and the collection of what map, both as foreign members. */
export function geojson(entries, info) {
    const features = oldestFirst(entries).filter((entry) => entry.answer !== null).flatMap((entry) => {
        const {answers, top_tiles: _, ...facts} = entry.answer;
        return answers.map((hit) => ({
                               type: 'Feature',
                               geometry: {type: 'Point', coordinates: [hit.lon, hit.lat]},
                               properties: {...hit, photo: entry.name, ...facts},
                               question: questionOf(entry.answered),
                           }));
    });
    const map = {name: info.name, weights: info.weights.fingerprint};
    return JSON.stringify({type: 'FeatureCollection', map, features}, null, 2) + '\n';
}

export function save(name, type, text) {
    const address = URL.createObjectURL(new Blob([text], {type}));
    make('a', {href: address, download: name}).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000); /* the browser has read it by then */
}
