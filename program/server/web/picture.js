/* picture.js - facts about a picture before it is sent: its size, read from the file's first bytes without decoding,
 * whether it is within the server's limits, and a preview. */
import * as words from './words.js';

const PREVIEW_WIDTH = 1280;
const PREVIEW_PIXELS = 150e6; /* larger ones are not decoded for a preview */

const read = async (file, from, length) => new DataView(await file.slice(from, from + length).arrayBuffer());
const text = (view, at, length) => String.fromCharCode(...new Uint8Array(view.buffer, at, length));

/* A JPEG is a list of segments, each FF, kind, length; the SOF segment has the size. Segment lengths allow skipping
 * metadata of any size. */
async function jpegSize(file) {
    for (let at = 2, steps = 0; steps < 1000; steps++) {
        const view = await read(file, at, 9);
        if (view.byteLength < 9 || view.getUint8(0) !== 0xff) return null;
        const kind = view.getUint8(1);
        const isSof = kind >= 0xc0 && kind <= 0xcf && kind !== 0xc4 && kind !== 0xc8 && kind !== 0xcc;
        if (isSof) return {height: view.getUint16(5), width: view.getUint16(7)};
        if (kind === 0xda || kind === 0xd9) return null; /* pixels or the end before any size */
        at += kind === 0xff ? 1 : 2 + view.getUint16(2);
    }
    return null;
}

/* The three kinds of WebP store it in different places. */
function webpSize(view) {
    switch (text(view, 12, 4)) {
        case 'VP8X':
            return {width: 1 + (view.getUint32(24, true) & 0xffffff), height: 1 + (view.getUint32(26, true) >>> 8)};
        case 'VP8L': {
            const bits = view.getUint32(21, true);
            return {width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff)};
        }
        case 'VP8 ':
            return {width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff};
        default:
            return null;
    }
}

/* { width, height } in pixels as stored, or null if it is not a JPEG, PNG, WebP or GIF: then the server decides. */
export async function sizeOf(file) {
    try {
        const view = await read(file, 0, 32);
        if (view.byteLength < 30) return null;
        if (view.getUint16(0) === 0xffd8) return await jpegSize(file);
        if (view.getUint32(0) === 0x89504e47) return {width: view.getUint32(16), height: view.getUint32(20)};
        if (text(view, 0, 4) === 'GIF8') return {width: view.getUint16(6, true), height: view.getUint16(8, true)};
        if (text(view, 0, 4) === 'RIFF' && text(view, 8, 4) === 'WEBP') return webpSize(view);
    } catch { /* the file is unreadable: sending it will report that */
    }
    return null;
}

/* Why it would be refused, or null. */
export function beyondLimits(file, size, limits) {
    if (file.size === 0) return 'This file is empty.';
    if (file.size > limits.body_bytes)
        return `This file has ${words.bytes(file.size)}; this server takes at most ${
            words.bytes(limits.body_bytes)}. It was not sent.`;
    if (size !== null && size.width * size.height > limits.pixels)
        return `This picture has ${words.megapixels(size.width * size.height)}; this server takes at most ${
            words.megapixels(limits.pixels)}. It was not sent.`;
    return null;
}

/* A small JPEG to show, or null if the browser cannot decode it (the server may). */
async function preview(file, size) {
    if (size !== null && size.width * size.height > PREVIEW_PIXELS) return null;
    let bitmap = null;
    try {
        bitmap = await createImageBitmap(file);
        const scale = Math.min(1, PREVIEW_WIDTH / bitmap.width);
        const canvas = document.createElement('canvas');
        canvas.width = Math.max(1, Math.round(bitmap.width * scale));
        canvas.height = Math.max(1, Math.round(bitmap.height * scale));
        const context = canvas.getContext('2d');
        context.imageSmoothingQuality = 'high';
        context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
        const small = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.85));
        return small && {url: URL.createObjectURL(small), ratio: canvas.width / canvas.height};
    } catch {
        return null;
    } finally {
        bitmap?.close();
    }
}

/* One at a time, so that many large pictures are not in memory at once. The caller frees the address. */
let last = Promise.resolve();
export function previewOf(file, size) {
    const mine = last.then(() => preview(file, size));
    last = mine;
    return mine;
}
