/* main.js - puts the page's parts together. visit.js holds the state, the other parts show it. */
import {Answers} from './answers.js';
import * as api from './api.js';
import {Area} from './area.js';
import {afterRest, announce, button, byId, make} from './dom.js';
import * as exporting from './export.js';
import {Heat} from './heat.js';
import * as help from './help.js';
import {History} from './history.js';
import * as intake from './intake.js';
import * as map from './map.js';
import {Marks} from './marks.js';
import {Scores} from './scores.js';
import {Table} from './table.js';
import {askForToken} from './token.js';
import * as visit from './visit.js';
import * as words from './words.js';

const EMPTY = 'This map is empty: it has no tiles yet. `geoviewmatch index` adds imagery.';

let parts = null; /* once the map is known: marks, area, answers, heat, history, scores, table */
let frame = 0;    /* scheduled for drawing the list and the dots; 0 for none */

function notice(sentence, again = null) {
    byId('notice').replaceChildren();
    if (sentence !== null) byId('notice').append(make('p', {}, sentence));
    if (again !== null) byId('notice').append(button({class: 'small', click: again}, 'Try again'));
}

function take(files) {
    if (parts === null) return notice('The server has not sent its map yet, so no photo was sent.', start);
    if (parts.info.tiles === 0) return notice(EMPTY);
    notice(null);
    visit.add(files, parts.area.value);
    announce(`${words.count(files.length, 'picture', 'pictures')} received. Searching.`);
}

/* A picture's answer, for screen readers. */
function spoken(entry) {
    if (entry.state === 'failed') return `${entry.name}: ${entry.problem}`;
    const [best] = entry.answer.answers;
    return `${entry.name}: ${words.place(best)}. ${words.verdict(entry.answer).sentence}`;
}

/* The map moves to a picture's first answer and to a chosen one; to a later answer, such as one within a circle that
 * the user is moving, only if it is out of view. */
function look(entry, what) {
    const isNew = entry.answer !== entry.looked, isFirst = entry.looked === undefined;
    entry.looked = entry.answer;
    if (what === 'selected' || isFirst || (isNew && !parts.marks.inView(entry))) parts.marks.visit(entry);
}

/* The parts that show all pictures: at most once a frame, however many have changed. */
function drawAll() {
    frame = 0;
    const entries = visit.all(), current = visit.current();
    parts.history.update(entries, current);
    parts.table.update(entries, current);
    parts.marks.others(entries, current);
    parts.area.offer(entries);
    parts.answers.offer(entries);
}

function refresh(entry, what) {
    const {marks, answers, history} = parts, current = visit.current();
    if (what === 'forgotten') {
        history.clear();
        welcome();
    }
    frame ||= requestAnimationFrame(drawAll);
    if (what === 'selected')
        answers.open(entry);
    else if (what === 'changed' && entry === current)
        answers.update();
    if (what !== 'changed' || entry === current) {
        marks.show(current);
        parts.scores.show(current);
    }
    const isOver = entry !== null && !visit.isWaiting(entry);
    if (isOver && entry === current && entry.answer !== null) look(entry, what);
    if (isOver && what === 'changed' && entry.said !== entry.control) {
        entry.said = entry.control;
        announce(spoken(entry));
        if (entry.fault === 'stopped')
            notice('The server does not answer.');
        else if (entry.state === 'done')
            notice(null);
    }
}

function welcome() {
    parts.answers.welcome(parts.info.tiles === 0 ? EMPTY : null);
}

function areaChanged(area) {
    const entry = visit.current();
    if (entry === null || visit.isSame(entry.area, area)) return drawAll();
    visit.ask(entry, entry.heading, area);
}

function askAll(wanted) {
    visit.askAll(wanted);
    announce(`Searching for all ${visit.all().length} photos again.`);
}

function build(info) {
    const view = map.open(info), at = map.placer(map.middleOf(info));
    const later = afterRest(400, (entry, heading) => visit.ask(entry, heading, parts.area.value));
    const marks = new Marks(view, at, (rank) => parts.answers.point(rank), visit.select);
    const heat = new Heat(info.weights);
    parts = {
        info,
        marks,
        heat,
        area: new Area(view, at, {changed: areaChanged, all: (area) => askAll({area})}),
        history: new History(visit.select),
        scores: new Scores(view, map.middleOf(info)),
        table: new Table(visit.select),
        answers: new Answers({
            weights: info.weights,
            go: (hit) => marks.go(hit),
            heat: (entry, tile) => heat.open(entry, tile),
            ask: (entry, heading, rest, area = parts.area.value) =>
                (rest > 0 ? later(entry, heading) : visit.ask(entry, heading, area)),
            trust: visit.trust,
            fov: visit.setFov,
            all: (heading) => askAll({heading}),
        }),
    };
    help.tellVersion(info);
    document.body.classList.toggle('photos', info.weights.photos);
    document.body.classList.toggle('cameras', info.weights.cameras);
    visit.setLimits(info.limits);
    visit.watch(refresh);
    byId('about').textContent = [info.name, words.count(info.tiles, 'tile', 'tiles')].filter(Boolean).join(' · ');
    const saves = (id, type, text) => byId(id).addEventListener(
        'click', () => exporting.save(`answers.${id}`, type, text(visit.all(), info)));
    saves('geojson', 'application/geo+json', exporting.geojson);
    saves('csv', 'text/csv', exporting.csv);
    byId('forget').addEventListener('click', () => {
        visit.forget();
        byId('file').focus();
        announce('All pictures of this visit were removed.');
    });
    welcome();
}

async function start() {
    try {
        const info = await api.aboutMap();
        if (parts === null) build(info);
        notice(info.tiles === 0 ? EMPTY : null);
    } catch (error) {
        notice(error.message, start);
    }
}

/* Shown while it lasts; announced once each time. */
function busy(seconds) {
    const sentence = seconds === null ? '' : `The server is busy; retrying in ${Math.ceil(seconds)} s.`;
    byId('busy').textContent = sentence;
    if (sentence !== '') announce(sentence);
}

api.configure({ask: askForToken, busy});
intake.listen(take);
help.listen();
start();
