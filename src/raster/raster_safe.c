/* raster_safe.c - checks that all files that GDAL will read for a raster are regular: reading a pipe or a device could
 * block forever.
 *
 * GDAL opens side files with the raster's name, and files that a VRT or a raster's .aux.xml names. Names have many
 * forms (in an archive, as a subdataset, with options), so of a name that is not a file each part is checked. */
#define _GNU_SOURCE /* memmem */
#include <cpl_minixml.h>
#include <cpl_string.h>
#include <dirent.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "raster/raster_parts.h"

enum {
    START = 4096,       /* bytes of a file in which a VRT says what it is */
    XML_MOST = 1 << 28, /* bytes of a VRT */
    NAME_MOST = 1000,
    LOOKS_MOST = 3000000, /* names in all; guards against files made to waste time */
    DEPTH_MOST = 32       /* VRTs in a VRT */
};

struct search {
    GHashTable *seen;    /* files, by path */
    GHashTable *folders; /* irregular files in each: GPtrArray of names */
    char *bad;           /* the first irregular file; NULL: none yet */
    int looks;
};

static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static void found(struct search *s, const char *path)
{
    if (s->bad == NULL) s->bad = g_strdup(path);
}

/* ------------------------------------------------------------------ side files */

static GPtrArray *specials_of(struct search *s, const char *folder)
{
    GPtrArray *names = g_hash_table_lookup(s->folders, folder);
    if (names != NULL) return names;
    names = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_insert(s->folders, g_strdup(folder), names);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_type == DT_REG || entry->d_type == DT_DIR) continue;
        gchar *path = g_build_filename(folder, entry->d_name, NULL);
        if (is_special(path)) g_ptr_array_add(names, g_strdup(entry->d_name));
        g_free(path);
    }
    if (dir != NULL) closedir(dir);
    return names;
}

/* Check files with the same name up to the last dot. */
static void check_beside(struct search *s, const char *path)
{
    gchar *folder = g_path_get_dirname(path), *name = g_path_get_basename(path);
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot > name) *dot = '\0';
    const GPtrArray *specials = specials_of(s, folder);
    for (guint i = 0; i < specials->len; i++) {
        const char *special = g_ptr_array_index(specials, i);
        size_t length = strlen(name);
        if (strncasecmp(special, name, length) == 0 && strchr("._-", special[length]) != NULL) found(s, special);
    }
    g_free(folder);
    g_free(name);
}

/* ------------------------------------------------------------------ names in files */

static void check_file(struct search *s, const char *path, int depth);
static void check_xml(struct search *s, const char *text, const char *folder, int depth);

/* Check a name relative to the file that names it, or to the working folder. Returns false if there is no such file. */
static bool check_path(struct search *s, const char *name, const char *folder, int depth)
{
    bool there = false;
    if (s->looks++ == LOOKS_MOST) found(s, "too many names for a mosaic");
    for (int i = 0; i < (name[0] == '/' ? 1 : 2); i++) {
        struct stat st;
        gchar *path = i == 0 && name[0] != '/' ? g_build_filename(folder, name, NULL) : g_strdup(name);
        if (stat(path, &st) == 0) {
            if (is_special(path)) found(s, path);
            if (S_ISREG(st.st_mode)) check_file(s, path, depth + 1);
            there = there || S_ISREG(st.st_mode) || is_special(path);
        }
        g_free(path);
    }
    return there;
}

/* Check the parts of a name, split at the characters that GDAL's forms of names have around a path. */
static void check_parts(struct search *s, const char *name, const char *folder, int depth)
{
    static const char marks[] = "/:,{}?&=\"' ";
    char part[NAME_MOST + 1];
    for (const char *from = name; from != NULL && *from != '\0' && s->bad == NULL; from = strpbrk(from + 1, marks)) {
        for (int skip = 0; skip < 2; skip++) {
            const char *start = from + (skip && strchr(marks, *from) != NULL);
            for (const char *end = start; *end != '\0' && s->bad == NULL;) {
                end += 1 + strcspn(end + 1, marks);
                snprintf(part, sizeof part, "%.*s", (int)(end - start), start);
                check_path(s, part, folder, depth);
            }
        }
    }
}

/* "/vsizip/...", "vrt://...", "GPKG:...": names that contain a path. */
static bool is_compound(const char *name)
{
    size_t word = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return strncmp(name, "/vsi", 4) == 0 || (word > 0 && name[word] == ':');
}

static void check_name(struct search *s, const char *name, const char *folder, int depth)
{
    if (strstr(name, "<VRTDataset") != NULL)
        check_xml(s, name, folder, depth + 1);
    else if (strlen(name) <= NAME_MOST && !check_path(s, name, folder, depth) && is_compound(name))
        check_parts(s, name, folder, depth);
}

/* Check all texts except numbers. */
static void check_nodes(struct search *s, const CPLXMLNode *node, const char *folder, int depth)
{
    for (; node != NULL && s->bad == NULL; node = node->psNext) {
        bool source = node->eType == CXT_Element && g_str_has_prefix(node->pszValue, "Source");
        for (const CPLXMLNode *child = node->psChild; child != NULL && s->bad == NULL; child = child->psNext)
            if (child->eType == CXT_Text &&
                (source || strspn(child->pszValue, "0123456789.,+-eE \n\t\r") != strlen(child->pszValue)))
                check_name(s, child->pszValue, folder, depth);
        check_nodes(s, node->psChild, folder, depth);
    }
}

static void check_xml(struct search *s, const char *text, const char *folder, int depth)
{
    if (depth > DEPTH_MOST) return;
    CPLXMLNode *root = CPLParseXMLString(text); /* GDAL reads nothing of broken XML either */
    check_nodes(s, root, folder, depth);
    CPLDestroyXMLNode(root);
}

static void check_xml_file(struct search *s, const char *path, bool always, int depth)
{
    struct file_map file;
    if (file_map(&file, path, NULL) != GVM_OK) return;
    size_t start = file.size < START ? file.size : START;
    static const char mark[] = "<VRTDataset";
    bool wanted = file.size <= XML_MOST && (always || memmem(file.data, start, mark, sizeof mark - 1) != NULL);
    gchar *text = wanted ? g_strndup((const char *)file.data, file.size) : NULL;
    file_unmap(&file);
    gchar *folder = g_path_get_dirname(path);
    if (text != NULL) check_xml(s, text, folder, depth);
    g_free(folder);
    g_free(text);
}

static void check_file(struct search *s, const char *path, int depth)
{
    if (s->bad != NULL || depth > DEPTH_MOST || !g_hash_table_add(s->seen, g_strdup(path))) return;
    check_beside(s, path);
    check_xml_file(s, path, false, depth);
    gchar *aux = g_strdup_printf("%s.aux.xml", path);
    check_xml_file(s, aux, true, depth);
    g_free(aux);
}

gvm_status raster_check_files(const char *path, const char *where, gvm_error *err)
{
    struct search s = {g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
                       g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref), NULL,
                       0};
    check_file(&s, path, 0);
    gvm_status status = GVM_OK;
    if (s.bad != NULL)
        status = fail(err, GVM_FILE, "%s: it is read together with %s, which is not a regular file; move that away",
                      where, path_tail(s.bad));
    g_free(s.bad);
    g_hash_table_unref(s.seen);
    g_hash_table_unref(s.folders);
    return status;
}
