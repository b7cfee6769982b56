/* folder.c - see folder.h. */
#define _GNU_SOURCE /* syncfs */
#include "world/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "world/batch.h"

static gvm_status check_empty(const char *folder, gvm_error *err)
{
    DIR *dir = opendir(folder);
    if (dir == NULL) return fail_errno(err, "read", path_tail(folder));
    gvm_status status = GVM_OK;
    errno = 0;
    for (struct dirent *e; status == GVM_OK && (e = readdir(dir)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            status = fail(err, GVM_FILE,
                          "%s: the folder is not empty; choose another one, or overwrite its files with --force",
                          path_tail(folder));
    if (status == GVM_OK && errno != 0) status = fail_errno(err, "read", path_tail(folder));
    closedir(dir);
    return status;
}

/* A link may lead to somebody else's file or folder. */
static gvm_status refuse_links(const char *folder, gvm_error *err)
{
    static const char *const names[] = {"street", "aerial", "ortho.tif", "photos", "imagery", "imagery/ortho.tif",
                                        NULL};
    gvm_status status = GVM_OK;
    for (int k = 0; names[k] != NULL && status == GVM_OK; k++) {
        struct stat info;
        char *path = g_strdup_printf("%s/%s", folder, names[k]);
        if (lstat(path, &info) != 0)
            status = errno == ENOENT || errno == ENOTDIR ? GVM_OK : fail_errno(err, "read", path_tail(path));
        else if (S_ISLNK(info.st_mode))
            status = fail(err, GVM_FILE, "%s: it is a symbolic link, which is not written through; remove it",
                          path_tail(path));
        g_free(path);
    }
    return status;
}

static gvm_status make_folder(const char *folder, const char *name, gvm_error *err)
{
    char *path = name != NULL ? g_strdup_printf("%s/%s", folder, name) : g_strdup(folder);
    struct stat info;
    gvm_status status = GVM_OK;
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        status = fail_errno(err, "create", path_tail(path));
    else if (stat(path, &info) != 0)
        status = fail_errno(err, "read", path_tail(path));
    else if (!S_ISDIR(info.st_mode))
        status = fail(err, GVM_FILE, "%s: it is not a folder", path_tail(path));
    g_free(path);
    return status;
}

gvm_status folder_prepare(const char *folder, const char *const *kinds, bool force, gvm_error *err)
{
    gvm_status status = make_folder(folder, NULL, err);
    if (status != GVM_OK) return status;
    if (!force) status = check_empty(folder, err);
    if (status == GVM_OK) status = refuse_links(folder, err);
    static const char *const lists[] = {"pairs.csv", "tiles.csv", "photos.csv"};
    for (int k = 0; k < 3 && status == GVM_OK; k++) {
        char *list = g_strdup_printf("%s/%s", folder, lists[k]);
        if (unlink(list) != 0 && errno != ENOENT) status = fail_errno(err, "replace", path_tail(list));
        g_free(list);
    }
    for (; *kinds != NULL && status == GVM_OK; kinds++) status = make_folder(folder, *kinds, err);
    return status;
}

char *folder_picture(const char *folder, const char *kind, int number)
{
    return g_strdup_printf("%s/%s/%06d.jpg", folder, kind, number + 1);
}

static gvm_status sync_pictures(const char *folder, gvm_error *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int broken = fd < 0 || syncfs(fd) != 0;
    gvm_status status = broken ? fail_errno(err, "write", path_tail(folder)) : GVM_OK;
    if (fd >= 0) close(fd);
    return status;
}

gvm_status folder_fill(const struct pictures *pictures,
                       gvm_status (*make)(const void *pictures, unsigned char *room, int number, gvm_error *err),
                       size_t room, const char *unit, struct progress *progress, gvm_error *err)
{
    struct batch batch = {
        .make = make, .context = pictures, .count = pictures->options->pairs, .room = room, .progress = progress};
    progress_start(progress, "world", unit, (size_t)batch.count);
    gvm_status status = batch_run(&batch, err);
    progress_end(progress);
    return status == GVM_OK ? sync_pictures(pictures->folder, err) : status;
}

gvm_status folder_list(const char *folder, const char *name, const GString *text, gvm_error *err)
{
    char *path = g_strdup_printf("%s/%s", folder, name);
    gvm_status status = file_write(path, text->str, text->len, err);
    g_free(path);
    return status;
}
