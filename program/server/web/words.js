/* words.js - numbers formatted for people. */

export const degrees = (x, digits = 6) => (Math.abs(x) < 0.5 * 10 ** -digits ? 0 : x).toFixed(digits);

/* "45.000583, -30.001071": a form that other maps accept. */
export const place = (p, digits = 6) => `${degrees(p.lat, digits)}, ${degrees(p.lon, digits)}`;

export function metres(m) {
    if (m >= 10000) return `${Math.round(m / 1000)} km`;
    if (m >= 1000) return `${(m / 1000).toFixed(1)} km`;
    return `${m >= 10 ? Math.round(m) : m.toFixed(1)} m`;
}

export const score = (s) => s.toFixed(3);

/* A probability. */
export const share = (p) => p.toFixed(p < 0.01 ? 4 : 3);

export const heading = (h) => `${Math.round(h) % 360}°`;

export function bytes(n) {
    const mega = n / 2 ** 20;
    return `${mega >= 10 ? Math.round(mega) : mega.toFixed(1)} MiB`;
}

export const megapixels = (n) => `${n >= 1e7 ? Math.round(n / 1e6) : (n / 1e6).toFixed(1)} megapixels`;

export const count = (n, one, many) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

/* An answer's verdict by its margin: kind 'weak', 'clear' or 'only', a word, and a sentence. */
export function verdict({weak, margin}) {
    if (typeof margin !== 'number' || typeof weak !== 'boolean')
        return {kind: 'only', word: 'only place', sentence: 'Only place: there is no other to compare with.'};
    if (weak)
        return {
            kind: 'weak',
            word: 'weak',
            sentence: `Weak: another place is almost as similar, only ${score(margin)} behind.`,
        };
    return {kind: 'clear', word: 'clear', sentence: `Clear: the next place is ${score(margin)} behind.`};
}
