/* earth.js - longitudes on a map that goes round. Leaflet draws the world again and again beside itself: what belongs
 * to an index is drawn in one copy, around the index's middle, even where that is the antimeridian and half of its
 * longitudes lie beyond 180. */

/* The longitude of the same place within 180 degrees of `middle`. */
export const near = (lon, middle) => lon + 360 * Math.round((middle - lon) / 360);

/* The longitude as sent, shown and copied. */
export const wrap = (lon) => near(lon, 0);
