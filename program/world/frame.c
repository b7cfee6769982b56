/* frame.c - see frame.h. Each block's corners are projected exactly, and points between them interpolated linearly.
 * Over the 64 m of a block the error is below tan(lat) / R * 64^2 / 8 metres, 0.5 mm at 80 degrees, and neighbours
 * share their corners. */
#include "world/frame.h"

#include <assert.h>
#include <cpl_error.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdlib.h>

#include "base/error.h"
#include "world/places.h"

/* ------------------------------------------------------------------ projections */

struct projection_pair {
    OGRSpatialReferenceH map, globe;
    OGRCoordinateTransformationH to_map, to_globe;
};

static int epsg_of(const struct world_options *options, enum ortho_grid projection)
{
    if (projection == ORTHO_MERCATOR) return 3857;
    int zone = (int)floor((options->lon + 180) / 6) % 60 + 1; /* 180 degrees east are in zone 1 */
    return (options->lat < 0 ? 32700 : 32600) + zone;
}

static void pair_free(struct projection_pair *pair)
{
    OCTDestroyCoordinateTransformation(pair->to_map);
    OCTDestroyCoordinateTransformation(pair->to_globe);
    OSRDestroySpatialReference(pair->map);
    OSRDestroySpatialReference(pair->globe);
}

static bool pair_open(struct projection_pair *pair, int epsg)
{
    *pair = (struct projection_pair){OSRNewSpatialReference(NULL), OSRNewSpatialReference(NULL), NULL, NULL};
    if (OSRImportFromEPSG(pair->map, epsg) != OGRERR_NONE || OSRImportFromEPSG(pair->globe, 4326) != OGRERR_NONE)
        return false;
    OSRSetAxisMappingStrategy(pair->map, OAMS_TRADITIONAL_GIS_ORDER); /* longitude or east first */
    OSRSetAxisMappingStrategy(pair->globe, OAMS_TRADITIONAL_GIS_ORDER);
    pair->to_map = OCTNewCoordinateTransformation(pair->globe, pair->map);
    pair->to_globe = OCTNewCoordinateTransformation(pair->map, pair->globe);
    return pair->to_map != NULL && pair->to_globe != NULL;
}

/* ------------------------------------------------------------------ the frame */

int frame_pixel(const struct frame *frame, int block)
{
    int pixel = block * FRAME_BLOCK;
    return pixel < frame->size ? pixel : frame->size;
}

/* The point of the town at a point of the map. */
static bool find_point(struct metres *point, const struct projection_pair *pair, const struct world_options *options,
                       double x, double y)
{
    if (!OCTTransform(pair->to_globe, 1, &x, &y, NULL)) return false;
    world_metres(&point->x, &point->y, options, y, x);
    return true;
}

/* The town's centre on the map, and map units per metre there. In Web Mercator, which treats the ellipsoid as a sphere,
 * the scales to the east and north differ by up to 0.7%; the mean is used. */
static bool find_middle(struct metres *middle, double *scale, const struct projection_pair *pair,
                        const struct world_options *options)
{
    const double away = 50;
    struct metres west, east, south, north;
    *middle = (struct metres){options->lon, options->lat};
    if (!OCTTransform(pair->to_map, 1, &middle->x, &middle->y, NULL) ||
        !find_point(&west, pair, options, middle->x - away, middle->y) ||
        !find_point(&east, pair, options, middle->x + away, middle->y) ||
        !find_point(&south, pair, options, middle->x, middle->y - away) ||
        !find_point(&north, pair, options, middle->x, middle->y + away))
        return false;
    *scale = 2 * away / sqrt(hypot(east.x - west.x, east.y - west.y) * hypot(north.x - south.x, north.y - south.y));
    return true;
}

static bool find_corners(struct frame *frame, const struct projection_pair *pair, const struct world_options *options)
{
    struct metres *corner = frame->corners;
    for (int j = 0; j <= frame->blocks; j++)
        for (int i = 0; i <= frame->blocks; i++, corner++) {
            double x = frame->left + frame_pixel(frame, i) * frame->pixel;
            double y = frame->top - frame_pixel(frame, j) * frame->pixel;
            if (!find_point(corner, pair, options, x, y)) return false;
        }
    return true;
}

static gvm_status lay_out(struct frame *frame, const struct projection_pair *pair, const struct world_options *options,
                          const struct ortho_options *ortho, gvm_error *err)
{
    struct metres middle;
    double scale;
    const char *broken = "cannot place the town in EPSG:%d: %s";
    if (!find_middle(&middle, &scale, pair, options))
        return fail(err, GVM_FILE, broken, frame->epsg, CPLGetLastErrorMsg());
    double pixel = ortho->pixel > 0 ? ortho->pixel : ORTHO_PIXEL_M / options->scale;
    frame->size = (int)lround(ortho->metres / pixel);
    frame->blocks = (frame->size + FRAME_BLOCK - 1) / FRAME_BLOCK;
    frame->pixel = pixel * scale;
    frame->left = middle.x - frame->size * frame->pixel / 2;
    frame->top = middle.y + frame->size * frame->pixel / 2;
    frame->corners = malloc((size_t)(frame->blocks + 1) * (frame->blocks + 1) * sizeof *frame->corners);
    if (frame->corners == NULL) return fail(err, GVM_MEMORY, "out of memory for an orthophoto");
    if (!find_corners(frame, pair, options)) return fail(err, GVM_FILE, broken, frame->epsg, CPLGetLastErrorMsg());
    return GVM_OK;
}

gvm_status frame_open(struct frame *frame, const struct world_options *options, const struct ortho_options *ortho,
                      gvm_error *err)
{
    struct projection_pair pair;
    gvm_status status;
    *frame = (struct frame){.epsg = epsg_of(options, ortho->projection)};
    CPLPushErrorHandler(CPLQuietErrorHandler);
    if (pair_open(&pair, frame->epsg))
        status = lay_out(frame, &pair, options, ortho, err);
    else
        status = fail(err, GVM_FILE,
                      "PROJ does not know EPSG:%d; its database proj.db (Debian's proj-data) is missing, or PROJ_LIB "
                      "points to another one",
                      frame->epsg);
    pair_free(&pair);
    CPLPopErrorHandler();
    if (status != GVM_OK) frame_free(frame);
    return status;
}

void frame_free(struct frame *frame)
{
    free(frame->corners);
    *frame = (struct frame){0};
}

struct point frame_point(const struct frame *frame, int block_row, int block_column, double u, double v)
{
    assert(block_row < frame->blocks && block_column < frame->blocks);
    const struct metres *nw = frame->corners + (size_t)block_row * (frame->blocks + 1) + block_column, *ne = nw + 1,
                        *sw = ne + frame->blocks, *se = sw + 1;
    double a = (1 - u) * (1 - v), b = u * (1 - v), c = (1 - u) * v, d = u * v;
    return (struct point){(float)(a * nw->x + b * ne->x + c * sw->x + d * se->x),
                          (float)(a * nw->y + b * ne->y + c * sw->y + d * se->y)};
}

void frame_corners(struct point corner[4], const struct frame *frame)
{
    int last = frame->blocks - 1;
    corner[0] = frame_point(frame, last, 0, 0, 1);
    corner[1] = frame_point(frame, last, last, 1, 1);
    corner[2] = frame_point(frame, 0, last, 1, 0);
    corner[3] = frame_point(frame, 0, 0, 0, 0);
}
