/* session.h - the model and the session of the public header, as the library's other files see them. */
#ifndef GVM_MODEL_SESSION_H
#define GVM_MODEL_SESSION_H

#include "network/embedder.h"

struct gvm_model {
    struct network *network; /* packed */
    gvm_model_info info;
    gvm_view_info views[2]; /* GVM_STREET, GVM_AERIAL */
};

struct gvm_session {
    const gvm_model *model;
    int max_batch;
    struct embedder *embedders[2]; /* GVM_STREET, GVM_AERIAL */
    gvm_error failure;             /* of the device in the last pass; empty where it was memory, or nothing */
};

/* Fill in info and views from the network, before it is packed: about.c. */
void model_describe(gvm_model *model);

/* A change of how many threads compute is refused between hold and release. A session holds by being open; what sizes
 * memory by parallel_threads() and outside of one holds meanwhile. */
void threads_hold(void);
void threads_release(void);

/* GVM_ARGUMENT for a number that names no view. */
gvm_status check_view(gvm_view view, gvm_error *err);

/* Height and width of a view's input. */
const int *view_size(const gvm_model *model, gvm_view view);

static inline size_t view_bytes(const gvm_model *model, gvm_view view)
{
    const int *size = view_size(model, view);
    return (size_t)size[0] * (size_t)size[1] * 3;
}

/* Features (n, features) of any number of pictures. False where there was not the memory, or the device failed, and
 * they are void. */
bool session_embed(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n);

/* Why a picture has no feature: the network did not run for want of memory, or made of it what is none. Returns the
 * status. */
gvm_status fail_embedding(gvm_error *err, const gvm_session *session, bool ran, const char *path);

/* Why session_embed returned false on so many pictures. Returns the status. */
gvm_status fail_run(gvm_error *err, const gvm_session *session, size_t pictures);

#endif
