"""Checks that hold for the whole page at any time: accessible names, legible text, width, visible focus."""
import json

# Each element with text of its own, its colour and its background, blended down to the first opaque one. Text on a
# picture has no single background; the map's marks, white on their own colour, have one.
CONTRAST = """(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
    const ground = (element) => {
        const layers = [];
        for (let e = element; e; e = e.parentElement) {
            const colour = rgba(getComputedStyle(e).backgroundColor);
            layers.push(colour);
            if (colour[3] > 0.99) break;
        }
        return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
    };
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
        .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility({ checkVisibilityCSS: true })
        && !e.closest('.unseen, :disabled, svg')
        && [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim() !== '')).map((e) => {
            const behind = ground(e), a = light(over(rgba(getComputedStyle(e).color), behind)), b = light(behind);
            return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.tagName, e.className, e.textContent.slice(0, 40)];
        });
})()"""

FOCUS = """(() => {
    const element = document.activeElement, shown = element.matches('#file') ? element.nextElementSibling : element;
    const style = getComputedStyle(shown);
    return [element.tagName + '#' + element.id + '.' + element.className, style.outlineStyle, parseFloat(style.outlineWidth)];
})()"""


def legible(page, which):
    """WCAG 2 AA: a contrast of 4.5 between text and background."""
    page.until("document.getAnimations().every((a) => a.playState !== 'running')", "the animations to end")
    texts = page.run(CONTRAST)
    assert len(texts) > 25, texts
    faint = [text for text in texts if text[0] < 4.5]
    assert faint == [], (which, faint)


def named(page, when):
    """Everything focusable has an accessible name that is more than a number or sign."""
    elements = page.named()
    assert len(elements) > 3, elements
    nameless = [(role, name) for role, name in elements if len(name.strip()) < 3]
    assert nameless == [], (when, nameless)


def fits(page):
    """Nothing makes the page wider than the screen."""
    wide = page.run("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1], wide


def tab_to(page, selector, most=60):
    """Press Tab until the element has focus; on the way, each element shows its focus."""
    stops = []
    for _ in range(most):
        page.press("Tab")
        stop, style, width = page.run(FOCUS)
        stops.append(stop)
        assert stop.startswith("BODY") or (style != "none" and width >= 1), "no visible focus on " + stop
        if page.run("document.activeElement.matches(%s)" % json.dumps(selector)):
            return
    raise AssertionError("%s cannot be reached by Tab: %s" % (selector, stops))
