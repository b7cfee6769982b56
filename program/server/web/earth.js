/* earth.js - longitudes on a wrapping map. Leaflet repeats the world to either side: a map's layers are drawn in one
 * copy, around its centre, even if that is the antimeridian and half of its longitudes are beyond 180. */

/* The longitude of the same place within 180 degrees of `middle`. */
export const near = (lon, middle) => lon + 360 * Math.round((middle - lon) / 360);

/* The longitude as sent, shown and copied. */
export const wrap = (lon) => near(lon, 0);
