/* session.h - the public header's session, as seen inside the library. */
#ifndef GVM_NETWORK_SESSION_H
#define GVM_NETWORK_SESSION_H

#include "network/embedder.h"
#include "network/model.h"

struct gvm_session {
    const gvm_model *model;
    int max_batch;
    struct embedder *embedders[2]; /* GVM_STREET, GVM_AERIAL */
    gvm_error failure;             /* of the device in the last pass; empty if it ran out of memory or succeeded */
};

/* Between hold and release, changing the number of threads is refused. An open session holds it; so must code outside
 * of a session that sizes memory by parallel_threads(). */
void threads_hold(void);
void threads_release(void);

/* Embed any number of pictures into features (n, features). Returns false if out of memory or if the device failed; the
 * features are then undefined. */
bool session_embed(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n);

/* The same with the turns of each picture, (n, turns, features): embedder_run_turns. */
bool session_embed_turns(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n);

/* The query of a picture with `views` inputs: the mean of their features (views, n). Returns false if one of them is
 * not a unit vector, or if they cancel. out may be the first of the features. */
bool mean_feature(float *out, const float *features, int views, size_t n);

/* session_embed for places that share pictures: embedder_run_shared. */
bool session_embed_shared(gvm_session *session, gvm_view view, float *features, const unsigned char *pixels, size_t n,
                          const int *which, size_t places);

/* Fail because a picture has no feature: out of memory, or the network's output is not a unit vector. */
gvm_status fail_embedding(gvm_error *err, const gvm_session *session, bool ran, const char *path);

/* Fail because session_embed returned false for `pictures` pictures. */
gvm_status fail_run(gvm_error *err, const gvm_session *session, size_t pictures);

#endif
