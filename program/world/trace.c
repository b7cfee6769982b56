/* trace.c - rays against solids, and shadows. */
#include <math.h>

#include "world/render.h"

/* The part of a ray inside a convex shape: from the last plane it enters to the first it leaves. */
struct span {
    float in, out;
    int face;
};

/* Keep the part with a + t b <= 0. */
static inline void clip(struct span *s, float a, float b, int face)
{
    if (b < 0) { /* enters */
        float t = -a / b;
        if (t > s->in) s->in = t, s->face = face;
    } else if (b > 0) {
        float t = -a / b;
        if (t < s->out) s->out = t;
    } else if (a > 0) {
        s->out = -INFINITY;
    }
}

static struct vector box_normal(const struct solid *s, int face)
{
    float u = 0, v = 0, w = 0;
    switch (face) {
    case 0: u = 1; break;
    case 1: u = -1; break;
    case 2: v = 1; break;
    case 3: v = -1; break;
    case 4: w = 1; break;
    case 5: w = -1; break;
    default: { /* z + k |x| */
        float k = face < 8 ? s->kx : fabsf(s->ky), long_one = 1 / sqrtf(1 + k * k);
        w = long_one;
        if (face == 6) u = k * long_one;
        if (face == 7) u = -k * long_one;
        if (face == 8) v = k * long_one;
        if (face == 9) v = -k * long_one;
    }
    }
    return (struct vector){u * s->c - v * s->s, u * s->s + v * s->c, w};
}

static bool box_hit(struct hit *hit, const struct solid *s, const struct ray *r)
{
    float px = r->x - s->x, py = r->y - s->y;
    float x = px * s->c + py * s->s, y = py * s->c - px * s->s;
    float dx = r->dx * s->c + r->dy * s->s, dy = r->dy * s->c - r->dx * s->s;
    struct span span = {-INFINITY, hit->t, -1};
    clip(&span, x - s->hx, dx, 0);
    clip(&span, -x - s->hx, -dx, 1);
    clip(&span, y - s->hy, dy, 2);
    clip(&span, -y - s->hy, -dy, 3);
    if (span.in >= span.out) return false;
    clip(&span, r->z - s->z1, r->dz, 4);
    clip(&span, s->z0 - r->z, -r->dz, 5);
    if (s->kx > 0) {
        float a = r->z - s->eave - s->kx * s->hx;
        clip(&span, a + s->kx * x, r->dz + s->kx * dx, 6);
        clip(&span, a - s->kx * x, r->dz - s->kx * dx, 7);
    }
    if (s->ky != 0) {
        float k = fabsf(s->ky), a = r->z - s->eave - k * s->hy;
        clip(&span, a + k * y, r->dz + k * dy, 8);
        if (s->ky > 0) clip(&span, a - k * y, r->dz - k * dy, 9);
    }
    if (span.in >= span.out || span.in <= 1e-3f) return false;
    hit->t = span.in;
    hit->face = span.face;
    hit->solid = s;
    hit->normal = box_normal(s, span.face);
    return true;
}

/* Leaves have gaps where the crown is thin: near its outline, seen along the ray. */
static bool has_gap(const struct solid *s, struct vector p, float facing)
{
    if (facing > 0.86f) return false; /* above the maximum of both noises together */
    float across = 0.8f * (p.x - p.y), rough = grain(p.x * 2 + p.z * 0.7f, p.y * 2, s->seed & 15);
    if (facing > 0.5f * rough + 0.36f) return false;
    return facing < 0.5f * rough + 0.4f * grain(across * 5, p.z * 5, 9) - 0.05f;
}

static bool ball_hit(struct hit *hit, const struct solid *s, const struct ray *r)
{
    float flat = 2 * s->hx / (s->z1 - s->z0), x = r->x - s->x, y = r->y - s->y, z = (r->z - (s->z0 + s->z1) / 2) * flat;
    float dz = r->dz * flat, a = r->dx * r->dx + r->dy * r->dy + dz * dz, b = x * r->dx + y * r->dy + z * dz;
    float c = x * x + y * y + z * z - s->hx * s->hx, root = b * b - a * c;
    if (root <= 0) return false;
    root = sqrtf(root);
    float t = (-b - root) / a;
    if (t <= 1e-3f || t >= hit->t) return false;
    struct vector p = {r->x + t * r->dx, r->y + t * r->dy, r->z + t * r->dz};
    if (has_gap(s, p, root / (sqrtf(a) * s->hx))) return false;
    struct vector n = {x + t * r->dx, y + t * r->dy, (z + t * dz) * flat};
    float k = 1 / sqrtf(n.x * n.x + n.y * n.y + n.z * n.z);
    hit->t = t;
    hit->face = 6;
    hit->solid = s;
    hit->normal = (struct vector){n.x * k, n.y * k, n.z * k};
    return true;
}

static bool cone_hit(struct hit *hit, const struct solid *s, const struct ray *r)
{
    float k = (s->hy - s->hx) / (s->z1 - s->z0), x = r->x - s->x, y = r->y - s->y;
    float w = s->hx + k * (r->z - s->z0), dw = k * r->dz;
    float a = r->dx * r->dx + r->dy * r->dy - dw * dw, b = x * r->dx + y * r->dy - w * dw, c = x * x + y * y - w * w;
    float root = b * b - a * c;
    if (root <= 0 || a == 0) return false;
    root = sqrtf(root);
    float t[2] = {(-b - root) / a, (-b + root) / a};
    if (t[0] > t[1]) {
        float first = t[1];
        t[1] = t[0];
        t[0] = first;
    }
    for (int n = 0; n < 2; n++) {
        float z = r->z + t[n] * r->dz;
        if (t[n] <= 1e-3f || t[n] >= hit->t || z < s->z0 || z > s->z1) continue;
        struct vector p = {x + t[n] * r->dx, y + t[n] * r->dy, z};
        float radius = s->hx + k * (z - s->z0), one = 1 / (larger(radius, 1e-3f) * sqrtf(1 + k * k));
        struct vector normal = {p.x * one, p.y * one, -k / sqrtf(1 + k * k)};
        if (s->surface == SURFACE_NEEDLE) {
            float along = sqrtf(r->dx * r->dx + r->dy * r->dy + r->dz * r->dz);
            float facing = -(normal.x * r->dx + normal.y * r->dy + normal.z * r->dz) / along;
            facing = 2 * facing + 0.7f * fabsf(r->dz) / along; /* from above, a steep cone is all outline */
            if (has_gap(s, (struct vector){p.x + s->x, p.y + s->y, z}, facing)) return false;
        }
        hit->t = t[n];
        hit->face = 6;
        hit->solid = s;
        hit->normal = normal;
        return true;
    }
    return false;
}

bool solid_hit(struct hit *hit, const struct solid *solid, const struct ray *ray)
{
    switch ((enum shape)solid->shape) {
    case SHAPE_BOX: return box_hit(hit, solid, ray);
    case SHAPE_BALL: return ball_hit(hit, solid, ray);
    case SHAPE_CONE: return cone_hit(hit, solid, ray);
    }
    return false;
}

/* Square by square towards the sun (Amanatides and Woo 1987), until the ray is above all solids in the last one. */
bool sun_reaches(const struct scene *scene, const struct view *view, struct vector p)
{
    const struct solid *solids = scene->solids.items;
    const int *ids = scene->ids.items;
    float dx = view->sun.x, dy = view->sun.y, dz = view->sun.z;
    struct ray ray = {p.x, p.y, p.z, dx, dy, dz};
    int i = (int)floorf(p.x / SQUARE) - scene->left, j = (int)floorf(p.y / SQUARE) - scene->bottom;
    int step_i = dx < 0 ? -1 : 1, step_j = dy < 0 ? -1 : 1;
    float next_x = dx != 0 ? ((float)(scene->left + i + (dx > 0)) * SQUARE - p.x) / dx : INFINITY;
    float next_y = dy != 0 ? ((float)(scene->bottom + j + (dy > 0)) * SQUARE - p.y) / dy : INFINITY;
    float width_x = SQUARE / fabsf(dx), width_y = SQUARE / fabsf(dy), t = 0;
    float inverse = 1 / (dx * dx + dy * dy);
    for (int n = 0; n < 16; n++) { /* solids farther than 100 m away throw no shadow here */
        if (i < 0 || j < 0 || i >= scene->side || j >= scene->side) return true;
        const struct square *q = scene->squares + (size_t)j * scene->side + i;
        float low = p.z + t * dz; /* of the ray, from here on */
        if (low < q->ceiling)
            for (int k = 0; k < q->solids; k++) {
                const struct solid *s = &solids[ids[q->solid + k]];
                float ox = s->x - p.x, oy = s->y - p.y, cross = ox * dy - oy * dx;
                if (!(s->when & view->when) || s->z1 < low - 0.01f || cross * cross * inverse > s->reach * s->reach)
                    continue;
                struct hit hit = {.t = INFINITY};
                if (solid_hit(&hit, s, &ray)) return false;
            }
        if (next_x < next_y) {
            t = next_x;
            next_x += width_x;
            i += step_i;
        } else {
            t = next_y;
            next_y += width_y;
            j += step_j;
        }
    }
    return true;
}

struct colour shade(const struct scene *scene, const struct view *view, const struct hit *hit, struct vector p,
                    struct vector direction)
{
    float shine;
    struct vector n = hit->normal;
    struct colour c =
        hit->solid != NULL ? surface_colour(view, hit, p, &shine) : ground_colour(scene, view, p.x, p.y, &shine);
    float facing = n.x * view->sun.x + n.y * view->sun.y + n.z * view->sun.z;
    const float off = 0.02f;
    bool lit =
        facing > 0 && sun_reaches(scene, view, (struct vector){p.x + off * n.x, p.y + off * n.y, p.z + off * n.z});
    struct colour light = view_light(view, c, n, lit);
    if (shine <= 0) return light;
    float back = 2 * (direction.x * n.x + direction.y * n.y + direction.z * n.z);
    struct vector mirrored = {direction.x - back * n.x, direction.y - back * n.y, fabsf(direction.z - back * n.z)};
    float grazing = 1 + back / 2; /* 0 head on, 1 along the surface */
    return mix(light, view_sky(view, mirrored), shine * (0.45f + 0.9f * grazing * grazing));
}
