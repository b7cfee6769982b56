/* camera.js - what was read of a photo's camera, and the field that corrects its field of view. */
import {button, make} from './dom.js';

const SOURCES = {
    option: 'set by you',
    gpano: 'from the picture (XMP GPano)',
    xmp: 'from the picture (XMP)',
    exif: 'from the picture (EXIF)',
    acceleration: 'from the picture (the phone’s acceleration, EXIF)',
    shape: 'by the picture’s shape',
    calibration: 'from a table of action cameras',
    focal_35mm: 'from the picture (35 mm equivalent focal length, EXIF)',
    focal_plane: 'from the picture (focal length and sensor, EXIF)',
    sensor_table: 'from the picture (focal length, EXIF) and a table of sensors',
    assumed: 'assumed, as the picture does not say it; correct it if you know it',
};

export const source = (name) => SOURCES[name] ?? 'unknown';

/* A full panorama is shown turned, other pictures as they are. */
export const isCircle = ({lens, fov}) => lens === 'sphere' && fov > 359;

/* asked(fov): the picture is to be searched with these degrees, or null, with its own. */
export class Controls {
    constructor(asked) {
        this.told = make('output', {for: 'fov'});
        this.field = make('input', {id: 'fov', type: 'number', min: 1, max: 360, step: 'any', inputmode: 'decimal'});
        this.field.addEventListener('change', () => {
            const isValid = this.field.value !== '' && this.field.validity.valid;
            this.field.setAttribute('aria-invalid', String(!isValid));
            if (isValid) asked(Number(this.field.value));
        });
        this.own = button({class: 'small', click: () => asked(null)}, 'From picture');
        this.element = make(
            'div', {class: 'camera'}, make('label', {for: 'fov'}, 'Field of view'), this.field,
            make('span', {'aria-hidden': 'true'}, '°'), this.own, this.told);
    }

    /* After a new answer, or a failure; while a question is open the field keeps the user's value. */
    update(entry) {
        this.own.setAttribute('aria-pressed', entry.fov === null);
        const camera = entry.answer?.camera;
        if (entry.state !== 'done' || camera === undefined) return;
        this.field.value = camera.fov.toFixed(1);
        this.field.setAttribute('aria-invalid', 'false');
        this.told.textContent =
            `${camera.fov.toFixed(1)}° × ${camera.fov_vertical.toFixed(1)}°, ${source(camera.fov_from)}`;
        this.element.classList.toggle('assumed', camera.fov_from === 'assumed');
    }
}
