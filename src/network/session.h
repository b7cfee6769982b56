/* session.h - the session of the public header, as the library's other files see them. */
#ifndef GVM_NETWORK_SESSION_H
#define GVM_NETWORK_SESSION_H

#include "network/embedder.h"
#include "network/model.h"

struct gvm_session {
    const gvm_model *model;
    int max_batch;
    struct embedder *embedders[2]; /* GVM_STREET, GVM_AERIAL */
    gvm_error failure;             /* of the device in the last pass; empty where it was memory, or nothing */
};

/* A change of how many threads compute is refused between hold and release. A session holds by being open; what sizes
 * memory by parallel_threads() and outside of one holds meanwhile. */
void threads_hold(void);
void threads_release(void);

/* Features (n, features) of any number of pictures. False where there was not the memory, or the device failed, and
 * they are void. */
bool session_embed(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n);

/* What is searched for of a picture that became `views` inputs: the mean of their features (views, n); of one the
 * feature itself. False if one of them is no feature, or they cancel each other; out may be the first of them. */
bool mean_feature(float *out, const float *features, int views, size_t n);

/* The same of places that share pictures: embedder_run_shared. */
bool session_embed_shared(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n,
                          const int *which, size_t places);

/* Why a picture has no feature: the network did not run for want of memory, or made of it what is none. Returns the
 * status. */
gvm_status fail_embedding(gvm_error *err, const gvm_session *session, bool ran, const char *path);

/* Why session_embed returned false on so many pictures. Returns the status. */
gvm_status fail_run(gvm_error *err, const gvm_session *session, size_t pictures);

#endif
