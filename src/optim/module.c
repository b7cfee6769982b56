/* module.c - finds the CUDA module and gets its table; see module.h */
#define _GNU_SOURCE /* dladdr */
#include "optim/module.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define MODULE "libgeoviewmatch_cuda.so"

static struct {
    const struct device *device; /* NULL on failure, with the reason in `why` */
    gvm_error why;
} cuda;

/* Folder of this code's file: the program or the shared library. */
static bool own_folder(char folder[PATH_MAX])
{
    Dl_info info;
    char path[PATH_MAX];
    if (dladdr(&cuda, &info) == 0 || info.dli_fname == NULL) return false;
    if (realpath(info.dli_fname, path) == NULL) { /* the name may have been found through PATH */
        ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
        if (n <= 0) return false;
        path[n] = '\0';
    }
    char *slash = strrchr(path, '/');
    if (slash == NULL) return false;
    *slash = '\0';
    memcpy(folder, path, strlen(path) + 1);
    return true;
}

/* Beside the library, beside the program in the build folder, or in the installed program's library folder. */
static bool find_module(char path[PATH_MAX])
{
    static const char *const places[] = {"/" MODULE, "/" GVM_MODULE_PLACE "/" MODULE};
    char folder[PATH_MAX];
    const char *named = getenv("GVM_CUDA_MODULE");
    if (named != NULL && *named != '\0')
        return snprintf(path, PATH_MAX, "%s", named) < PATH_MAX && access(path, R_OK) == 0;
    if (!own_folder(folder)) return false;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (snprintf(path, PATH_MAX, "%s%s", folder, places[i]) < PATH_MAX && access(path, R_OK) == 0) return true;
    return false;
}

static void open_module(void)
{
    char path[PATH_MAX];
    if (!find_module(path)) {
        fail(&cuda.why, GVM_DEVICE,
             "the CUDA module, " MODULE ", is not installed beside the program; build it on a machine with nvcc "
             "(nvidia-cuda-toolkit in Debian non-free), or leave out --device cuda");
        return;
    }
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* never closed */
    if (module == NULL) {
        fail(&cuda.why, GVM_DEVICE,
             "the CUDA module cannot be loaded (%s); install CUDA's libraries, or leave out --device cuda", dlerror());
        return;
    }
    device_module *ask;
    void *symbol = dlsym(module, DEVICE_MODULE_FUNCTION);
    memcpy(&ask, &symbol, sizeof ask);
    const struct device *device = symbol ? ask(&cuda.why) : NULL;
    if (symbol == NULL || (device != NULL && device->build != device_build()))
        fail(&cuda.why, GVM_DEVICE, "%s belongs to another version of the program; install both from the same build",
             path);
    else
        cuda.device = device;
}

gvm_status device_cuda(const struct device **device, gvm_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_module);
    *device = cuda.device;
    if (cuda.device != NULL) return GVM_OK;
    return fail(err, GVM_DEVICE, "%s", cuda.why.text);
}
