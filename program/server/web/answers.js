/* answers.js - the picture shown: itself, rotated; its places, best first; its five best tiles. The frame is built when
 * a picture is shown; a new answer fills the frame, so the slider keeps its focus. */
import * as api from './api.js';
import * as camera from './camera.js';
import {announce, button, byId, copy, icon, make, show} from './dom.js';
import * as heading from './heading.js';
import {openHelp} from './help.js';
import * as words from './words.js';

const TILES = 5;
const PANORAMA = 1.9; /* width to height from which a picture without other signs counts as a full panorama */

/* A button that copies coordinates and confirms it. */
function copyButton(hit) {
    const text = words.place(hit, 7);
    const click = async () => {
        try {
            await copy(text);
            press.replaceChildren(icon('done'));
            announce(`Copied ${text}`);
            setTimeout(() => press.replaceChildren(icon('copy')), 1500);
        } catch (error) {
            announce(error.message);
        }
    };
    const press = button({class: 'icon copy', title: 'Copy', 'aria-label': `Copy ${text}`, click}, icon('copy'));
    return press;
}

/* The score and what to compare it with: the next place's, the picture's GPS position, the tile's size. */
function facts(hit, answer) {
    const list = make('dl', {class: 'facts'});
    const add = (name, ...value) => list.append(make('div', {}, make('dt', {}, name), make('dd', {}, ...value)));
    add('Score', words.score(hit.score));
    add('Margin', typeof answer.margin === 'number' ? words.score(answer.margin) : 'none');
    if (typeof hit.p === 'number') {
        add(answer.calibrated ? 'p' : 'p (uncalibrated)', words.share(hit.p));
        add('p within 25, 50, 100 m', [25, 50, 100].map((m) => words.share(answer[`p_within_${m}_m`])).join(', '));
        const radius = answer.radius_90_m;
        add('0.9 of it', typeof radius === 'number' ? `within ${words.metres(radius)}` : 'off this map');
    }
    if (typeof hit.gps_m === 'number') add('From its own GPS', words.metres(hit.gps_m));
    add(`Tile, ${words.metres(2 * hit.half_tile_m)} wide`, `No. ${hit.tile}`);
    return list;
}

function placeItem(hit, answer, onGo) {
    const label = `Show answer ${hit.rank} on the map: ${words.place(hit)}`, {kind, sentence} = words.verdict(answer);
    const go = button(
        {class: 'place', 'aria-label': label, click: () => onGo(hit)},
        make('span', {class: `rank ${hit.rank === 1 ? 'best' : ''}`, 'aria-hidden': 'true'}, hit.rank),
        make('span', {class: 'where'}, words.place(hit)));
    const item = make('li', {class: hit.rank === 1 ? 'best' : 'other', 'data-rank': hit.rank}, go);
    if (hit.rank > 1)
        item.append(make('span', {class: 'quiet'}, [
            words.score(hit.score),
            typeof hit.p === 'number' ? `p ${words.share(hit.p)}` : null,
            `${words.score(answer.answers[0].score - hit.score)} behind`,
            typeof hit.gps_m === 'number' ? `${words.metres(hit.gps_m)} from its GPS` : null,
        ].filter(Boolean).join(' · ')));
    item.append(copyButton(hit));
    if (hit.rank === 1) item.append(make('p', {class: `verdict ${kind}`}, sentence), facts(hit, answer));
    return item;
}

/* A thumbnail that opens the heat maps. */
function tileItem(tile, rank, onHeat) {
    const image = make('img', {alt: '', width: 96, height: 96});
    const press = button(
        {
            class: 'tile',
            'aria-label': `Tile ${rank}, score ${words.score(tile.score)}: show heat maps`,
            title: 'Show heat maps',
            click: () => onHeat(tile)
        },
        image, make('span', {'aria-hidden': 'true'}, words.score(tile.score)), icon('heat'));
    show(image, api.tilePicture(tile.id)).catch((error) => {
        press.classList.add('gone');
        press.title = error.message;
    });
    return make('li', {}, press);
}

/* A failed picture: the server's sentence, and actions that may help. */
function problem(entry, ask, trust) {
    const offer = (text, act) => button({class: 'small', click: act}, text);
    const offers = [];
    if (entry.fault === 'stopped' || entry.fault === 'busy')
        offers.push(offer('Try again', () => ask(entry, entry.heading, 0)));
    if (entry.fault === 'refused' && entry.area?.own)
        offers.push(offer('Search the whole map', () => ask(entry, entry.heading, 0, null)));
    if (entry.fault === 'refused' && entry.retryWith === 'panorama=yes')
        offers.push(offer('It is a full panorama', () => trust(entry)));
    if (entry.fault === 'refused')
        offers.push(offer('Which photos can be used', () => openHelp('help-photos')));
    return make(
        'div', {class: 'problem', role: 'alert'}, make('p', {}, entry.problem), make('div', {class: 'row'}, ...offers));
}

function conditions({answer, answered: {area, isPanorama}}) {
    const parts = [], where = area?.own ? 'its GPS position' : area && words.place(area, 5);
    if (area !== null) parts.push(`Searched within ${words.metres(area.radius)} of ${where}.`);
    if (isPanorama) parts.push('Taken as a full panorama, as you confirmed; otherwise the answer is meaningless.');
    const tilts = ['pitch', 'roll'].filter((name) => answer.camera?.[name]);
    if (tilts.length > 0)
        parts.push(`Tilted: ${tilts.map((name) => `${name} ${answer.camera[name].toFixed(1)}°`).join(', ')}.`);
    for (const warning of answer.camera?.warnings ?? [])
        parts.push(`${warning.charAt(0).toUpperCase()}${warning.slice(1)}.`);
    if (answer.views > 1) parts.push(`A panorama: scores averaged over ${answer.views} views of it.`);
    return parts.length > 0 ? make('p', {class: 'quiet'}, parts.join(' ')) : null;
}

export class Answers {
    /* acts has weights, as in GET /v1/map; go(hit): show it on the map; heat(entry, tile): open the heat maps;
     * ask(entry, heading, rest, area): search again, in the area chosen on the map unless another is given;
     * fov(entry, degrees): with this field of view; trust(entry): as a full panorama; all(heading): with all pictures.
     */
    constructor(acts) { Object.assign(this, acts, {entry: null, section: byId('answer')}); }

    /* Before the first picture: instructions, or why the page is unusable. */
    welcome(sentence) {
        Object.assign(this, {entry: null, controls: null, camera: null});
        const welcome = byId('welcome').content;
        const content = sentence === null ? welcome.cloneNode(true) : make('p', {class: 'quiet'}, sentence);
        this.section.replaceChildren(make('div', {class: 'welcome'}, content));
        this.section.querySelector('.welcome button')?.addEventListener('click', () => openHelp('help-photos'));
    }

    /* Another picture. */
    open(entry) {
        this.entry = entry;
        Object.assign(this, {view: null, plain: null, controls: null, camera: null, shown: []});
        this.picture = make('div', {class: 'picture'});
        this.results = make('div', {class: 'results'});
        this.section.replaceChildren(make('h2', {title: entry.name}, entry.name), this.picture, this.results);
        this.update();
    }

    /* The preview is shown when it is ready, the slider with a panorama's preview or with its first answer. */
    fillPicture() {
        const {entry} = this, heads = entry.answer !== null && entry.answer.answers[0].heading !== null;
        const {photos, cameras} = this.weights, isOver = entry.answer !== null || entry.state === 'failed';
        const isWide = !photos && !cameras && (entry.preview?.ratio ?? 0) >= PANORAMA;
        const used = entry.answer?.camera, isPanorama = used ? camera.isCircle(used) : entry.answer ? heads : isWide;
        if (cameras && !isOver) return;
        if (this.view === null && this.plain === null && entry.preview !== null && !isPanorama) {
            this.plain = make('img', {class: 'plain', src: entry.preview.url, alt: entry.name});
            this.picture.prepend(this.plain);
        }
        if (this.view === null && entry.preview !== null && isPanorama) {
            this.plain?.remove();
            this.view = heading.panorama(entry.preview, entry.name, 0);
            this.picture.prepend(heading.winds(), this.view);
            if (this.controls !== null) this.controls.view = this.view;
        }
        if (this.controls === null && heads) {
            this.controls = new heading.Controls(this.view, (value, rest) => this.ask(entry, value, rest), this.all);
            this.picture.append(this.controls.element);
        }
        if (this.camera === null && cameras) {
            this.camera = new camera.Controls((fov) => this.fov(entry, fov));
            this.picture.append(this.camera.element);
        }
        this.controls?.update(entry);
        this.camera?.update(entry);
    }

    /* The picture shown has a new state. */
    update() {
        const {entry, results} = this;
        this.fillPicture();
        const now = [entry.state, entry.answer, entry.problem];
        if (now.every((value, i) => value === this.shown[i])) return;
        this.shown = now;
        this.section.setAttribute('aria-busy', entry.state === 'waiting' || entry.state === 'asking');
        if (entry.state === 'failed') {
            const sentence = problem(entry, this.ask, this.trust);
            const earlier = entry.answer === null ? [] : [make('h3', {}, 'Previous answer'), ...this.places()];
            results.replaceChildren(sentence, ...earlier);
        } else if (entry.state === 'done') {
            results.replaceChildren(...this.places());
        } else if (entry.answer === null) {
            results.replaceChildren(make('p', {class: 'searching'}, 'Searching …'));
        }
    }

    /* The answer's parts. */
    places() {
        const {entry} = this, {answers, top_tiles: tiles} = entry.answer;
        const list = (name, kind, items) => make('ol', {class: kind, 'aria-label': name}, ...items);
        const places = (name, hits) => list(name, 'places', hits.map((hit) => placeItem(hit, entry.answer, this.go)));
        const tile = (tile, i) => tileItem(tile, i + 1, () => this.heat(entry, tile));
        const parts = [conditions(entry), places('Best place', answers.slice(0, 1))];
        if (tiles.length > 0) parts.push(list('Best tiles', 'tiles', tiles.slice(0, TILES).map(tile)));
        if (answers.length > 1) parts.push(make('h3', {}, 'Other places'), places('Other places', answers.slice(1)));
        return parts.filter((part) => part !== null);
    }

    /* All pictures have changed. */
    offer(entries) { this.controls?.offer(entries); }

    /* A mark on the map was pressed. */
    point(rank) {
        const item = this.section.querySelector(`[data-rank="${rank}"] .place`);
        item?.focus();
        item?.scrollIntoView({block: 'nearest'});
    }
}
