/* dom.js - helpers that build the page's elements and announce to screen readers. */

export const byId = (id) => document.getElementById(id);

/* An element with attributes and children. Functions become listeners (`click: f`), null and false are left out, true
 * is an empty attribute. Text is always text, so a file's name cannot become markup. */
export function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === 'function')
            element.addEventListener(name, value);
        else if (value !== null && value !== undefined && value !== false)
            element.setAttribute(name, value === true ? '' : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
}

export const button = (attributes, ...children) => make('button', {type: 'button', ...attributes}, ...children);

/* A symbol from the end of index.html. */
export function icon(name) {
    const space = 'http://www.w3.org/2000/svg', svg = document.createElementNS(space, 'svg');
    const use = document.createElementNS(space, 'use');
    use.setAttribute('href', `#i-${name}`);
    svg.setAttribute('aria-hidden', 'true');
    svg.append(use);
    return svg;
}

/* Announced to screen readers, not shown. A repeated sentence is announced again. */
export function announce(sentence) {
    const live = byId('live');
    live.textContent = live.textContent === sentence ? `${sentence}\u00a0` : sentence;
}

/* Shows a picture that comes as a promise of a blob; its address is revoked once it is drawn. False if the promise is
 * of null: then there is nothing to draw. */
export async function show(image, blob) {
    const data = await blob;
    if (data === null) return false;
    const address = URL.createObjectURL(data);
    image.src = address;
    try {
        await image.decode();
        return true;
    } finally {
        URL.revokeObjectURL(address);
    }
}

/* The clipboard API needs a secure context (https or localhost); elsewhere execCommand still works. */
export async function copy(text) {
    if (navigator.clipboard) {
        try {
            return await navigator.clipboard.writeText(text);
        } catch { /* not permitted: use execCommand */
        }
    }
    const field = make('textarea', {class: 'unseen', 'aria-hidden': 'true'});
    const focused = document.activeElement;
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    focused?.focus();
    if (!copied) throw new Error('The browser does not allow copying.');
}

/* Runs `what` once calls have stopped for `ms`. */
export function afterRest(ms, what) {
    let timer;
    return (...values) => {
        clearTimeout(timer);
        timer = setTimeout(() => what(...values), ms);
    };
}
