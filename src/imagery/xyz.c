/* xyz.c - a folder of web-map tiles, z/x/y.jpg: 2^z by 2^z tiles cover the world, x from 180 degrees west, y from the
 * north, in the Mercator projection of a sphere (EPSG:3857).
 *
 *   lon = 360 x / 2^z - 180,   lat = atan(sinh(pi (1 - 2 y / 2^z)))
 *
 * In a folder of the Tile Map Service y counts from the south: 2^z - 1 - y. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/error.h"
#include "base/file.h"
#include "geo/earth.h"
#include "imagery/imagery_parts.h"

enum { ZOOM_MOST = 24 };

struct address {
    long z, x, y;     /* y from the north */
    const char *path; /* owned by the names */
};

struct listing {
    struct address *items;
    size_t count;
    struct names *names;
    bool tms;
};

double xyz_lat(double y, double tiles)
{
    return atan(sinh(M_PI * (1 - 2 * y / tiles))) / EARTH_DEGREE;
}

bool xyz_place(struct place *place, long z, long x, long y)
{
    if (z < 0 || z > ZOOM_MOST || x < 0 || y < 0 || x >= 1L << z || y >= 1L << z) return false;
    double n = (double)(1L << z), *box = place->box;
    box[0] = 360 * (double)x / n - 180;
    box[2] = 360 * (double)(x + 1) / n - 180;
    box[1] = xyz_lat((double)y + 1, n);
    box[3] = xyz_lat((double)y, n);
    place->lat = xyz_lat((double)y + 0.5, n);
    place->lon = (box[0] + box[2]) / 2;
    /* On the ellipsoid height and width differ by up to 0.7%: take the side of the square of equal area. */
    double width = (box[2] - box[0]) * metres_per_lon(place->lat),
           height = (box[3] - box[1]) * metres_per_lat(place->lat);
    place->metres = sqrt(width * height);
    return true;
}

/* Parse a name that is a whole number followed by `end`. */
static bool read_number(long *number, const char *name, const char **end)
{
    char *rest;
    if (name[0] < '0' || name[0] > '9' || strlen(name) > 24) return false;
    *number = strtol(name, &rest, 10);
    *end = rest;
    return true;
}

static bool is_picture(const char *end)
{
    static const char *const known[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp"};
    if (end[0] == '@' && end[1] >= '1' && end[1] <= '4' && end[2] == 'x') end += 3;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(end, known[i]) == 0) return true;
    return false;
}

static bool add_picture(struct listing *list, struct address a, const char *path)
{
    struct place place;
    if (list->tms && a.z <= ZOOM_MOST) a.y = (1L << a.z) - 1 - a.y;
    if (!xyz_place(&place, a.z, a.x, a.y)) return true;
    a.path = names_add(list->names, path);
    struct address *items = a.path != NULL ? array_room(list->items, list->count, sizeof *items) : NULL;
    if (items != NULL) (list->items = items)[list->count++] = a;
    return items != NULL;
}

static gvm_status no_memory(gvm_error *err, const char *folder)
{
    return fail(err, GVM_MEMORY, "%s: out of memory for its tiles", path_tail(folder));
}

static gvm_status walk(struct listing *list, const char *folder, int depth, struct address address, gvm_error *err);

static gvm_status take_entry(struct listing *list, const char *folder, const char *name, int depth,
                             struct address address, gvm_error *err)
{
    const char *end;
    long *number = depth == 0 ? &address.z : depth == 1 ? &address.x : &address.y;
    if (!read_number(number, name, &end) || (depth == 2 ? !is_picture(end) : *end != '\0')) return GVM_OK;
    char *path = path_join(folder, name);
    gvm_status status = GVM_OK;
    if (path == NULL || (depth == 2 && !add_picture(list, address, path)))
        status = no_memory(err, folder);
    else if (depth < 2)
        status = walk(list, path, depth + 1, address, err);
    free(path);
    return status;
}

/* Walk the folders z and x and the files y. */
static gvm_status walk(struct listing *list, const char *folder, int depth, struct address address, gvm_error *err)
{
    DIR *dir = opendir(folder);
    if (dir == NULL && depth > 0 && (errno == ENOTDIR || errno == ENOENT)) return GVM_OK; /* not a folder */
    if (dir == NULL) return fail_errno(err, "read", path_tail(folder));
    gvm_status status = GVM_OK;
    for (const struct dirent *entry; status == GVM_OK;) {
        errno = 0;
        entry = readdir(dir);
        if (entry == NULL && errno != 0) status = fail_errno(err, "read", path_tail(folder));
        if (entry == NULL) break;
        status = take_entry(list, folder, entry->d_name, depth, address, err);
    }
    closedir(dir);
    return status;
}

static int compare(const void *a, const void *b)
{
    const struct address *p = a, *q = b;
    if (p->z != q->z) return p->z < q->z ? -1 : 1;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    if (p->y != q->y) return p->y < q->y ? -1 : 1;
    return strcmp(p->path, q->path);
}

/* The zoom with a tile size nearest to ground_m. */
static long choose_zoom(const struct listing *list, double ground_m)
{
    double best = INFINITY;
    long zoom = -1;
    for (size_t i = 0; i < list->count; i++) {
        struct place place;
        const struct address *a = &list->items[i];
        if ((i > 0 && a->z == list->items[i - 1].z) || !xyz_place(&place, a->z, a->x, a->y)) continue;
        double off = fabs(log(place.metres / ground_m));
        if (off >= best) continue;
        best = off;
        zoom = a->z;
    }
    return zoom;
}

gvm_status xyz_list(struct place **places, size_t *count, struct names *names, const char *folder, bool tms,
                    double ground_m, gvm_error *err)
{
    struct listing list = {.names = names, .tms = tms};
    *count = 0;
    *places = NULL;
    gvm_status status = walk(&list, folder, 0, (struct address){.z = 0}, err);
    if (status == GVM_OK && (*places = calloc(list.count + 1, sizeof **places)) == NULL)
        status = no_memory(err, folder);
    else if (status == GVM_OK && list.count == 0)
        status =
            fail(err, GVM_FORMAT,
                 "%s: no tile z/x/y.jpg, z/x/y.png or z/x/y.webp found; name the folder that holds the zoom levels",
                 path_tail(folder));
    if (status == GVM_OK) qsort(list.items, list.count, sizeof *list.items, compare);
    long zoom = choose_zoom(&list, ground_m);
    const struct address *last = NULL; /* if a tile has two pictures, the first is kept */
    for (size_t i = 0; i < list.count && status == GVM_OK; i++) {
        const struct address *a = &list.items[i];
        if (a->z != zoom || (last != NULL && last->x == a->x && last->y == a->y)) continue;
        xyz_place(&(*places)[*count], a->z, a->x, a->y);
        (*places)[(*count)++].source = a->path;
        last = a;
    }
    free(list.items);
    return status;
}
