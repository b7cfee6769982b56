/* layers.js - the map's layer control: the opacity of the imagery, and whether the footprint is drawn. */
import * as L from '../leaflet/leaflet.esm.js';

import {button, icon, make} from './dom.js';

/* A slider from 0 to 100%; null without imagery. */
function strength(imagery) {
    if (imagery === null) return null;
    const told = make('output', {for: 'imagery-strength'}, '100%');
    const slider = make('input', {id: 'imagery-strength', type: 'range', min: 0, max: 100, step: 5, value: 100});
    slider.addEventListener('input', () => {
        imagery.setOpacity(slider.value / 100);
        told.textContent = `${slider.value}%`;
    });
    return make('p', {}, make('label', {for: 'imagery-strength'}, 'Imagery'), told, slider);
}

function outline(footprint, map) {
    const box = make('input', {id: 'footprint-shown', type: 'checkbox', checked: true});
    box.addEventListener('change', () => footprint[box.checked ? 'addTo' : 'removeFrom'](map));
    return make('p', {}, make('label', {}, box, ' Edge of the map'));
}

export const Layers = L.Control.extend({
    options: {position: 'topleft'},

    initialize(layers) { Object.assign(this, layers); },

    onAdd(map) {
        const panel = make(
            'div', {id: 'layers-panel', class: 'card', role: 'group', 'aria-label': 'Layers of the map', hidden: true},
            strength(this.imagery), outline(this.footprint, map));
        const press = button({
            id: 'layers',
            class: 'fit icon',
            title: 'Layers of the map',
            'aria-label': 'Layers of the map',
            'aria-expanded': 'false',
            'aria-controls': 'layers-panel',
            click: () => open(panel.hidden),
        }, icon('layers'));
        const open = (isOpen) => {
            panel.hidden = !isOpen;
            press.setAttribute('aria-expanded', isOpen);
        };
        const control = make('div', {class: 'layers'}, press, panel);
        control.addEventListener('keydown', (event) => {
            event.stopPropagation(); /* arrow keys move the slider, not the map */
            if (event.key !== 'Escape' || panel.hidden) return;
            open(false);
            press.focus();
        });
        map.on('click', () => open(false));
        L.DomEvent.disableClickPropagation(control);
        L.DomEvent.disableScrollPropagation(control);
        return control;
    },
});
