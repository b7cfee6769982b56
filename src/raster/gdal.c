/* gdal.c - see gdal.h */
#include "raster/gdal.h"

#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <gdal_frmts.h>
#include <glib.h>
#include <ogr_srs_api.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

void RegisterOGRGeoPackage(void); /* their header is for C++ only */
void RegisterOGRSQLite(void);

#pragma weak GDALRegister_WEBP /* not every build of GDAL has these two */
#pragma weak GDALRegister_JP2OpenJPEG

const char *const gdal_raster_drivers[] = {"GTiff", "VRT",  "MBTiles",     "GPKG", "JPEG",
                                           "PNG",   "WEBP", "JP2OpenJPEG", NULL};

/* Local file systems that read only the file in the name (/vsisparse/ reads others). */
static const char *const local[] = {"/vsimem/", "/vsizip/", "/vsitar/", "/vsigzip/", "/vsisubfile/", NULL};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *open_nothing(void *user, const char *name, const char *access)
{
    (void)user, (void)name, (void)access;
    return NULL;
}

/* GDAL keeps the pointer to the prefix. */
static void block(const char *prefix)
{
    VSIFilesystemPluginCallbacksStruct *nothing = VSIAllocFilesystemPluginCallbacksStruct();
    nothing->open = open_nothing;
    VSIInstallPluginHandler(g_intern_string(prefix), nothing);
    VSIFreeFilesystemPluginCallbacksStruct(nothing);
}

/* A VRT names its own sources, so file systems that must not be reached are disabled for the whole process. */
static void block_file_systems(void)
{
    static const char *const unlisted[] = {"/vsicurl?", "/vsistdin?"};
    char **prefixes = VSIGetFileSystemsPrefixes();
    for (char **prefix = prefixes; prefix != NULL && *prefix != NULL; prefix++) {
        if (strncmp(*prefix, "/vsi", 4) == 0 && !g_strv_contains(local, *prefix)) block(*prefix);
    }
    for (size_t i = 0; i < sizeof unlisted / sizeof *unlisted; i++) block(unlisted[i]);
    CSLDestroy(prefixes);
}

static _Thread_local int listeners; /* calls of gdal_listen that wait for gdal_ignore */

/* SQLite calls this for each new connection in the process; connections that are not opened by us stay unchanged. */
static int distrust(sqlite3 *base, char **message, const sqlite3_api_routines *routines)
{
    (void)message, (void)routines;
    if (listeners > 0) sqlite3_db_config(base, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return SQLITE_OK;
}

static void start(void)
{
    sqlite3_auto_extension((void (*)(void))distrust);
    GDALRegister_GTiff();
    GDALRegister_VRT();
    GDALRegister_MBTiles();
    RegisterOGRSQLite(); /* MBTiles opens its files through it */
    GDALRegister_JPEG();
    GDALRegister_PNG();
    GDALRegister_MEM();
    if (GDALRegister_WEBP != NULL) GDALRegister_WEBP();
    if (GDALRegister_JP2OpenJPEG != NULL) GDALRegister_JP2OpenJPEG();
    RegisterOGRGeoPackage();
    OSRSetPROJEnableNetwork(0);
    block_file_systems();
}

/* Of what SQLite says the part behind its statement, which may be long. */
static const char *reason_of(const char *message)
{
    const char *reason = message;
    if (strstr(message, "sqlite3_") == NULL) return message;
    for (const char *colon = message; (colon = strchr(colon, ':')) != NULL;) {
        colon += 1 + strspn(colon + 1, " \n");
        if (*colon != '\0') reason = colon;
    }
    return reason;
}

static void hear(CPLErr level, CPLErrorNum number, const char *message)
{
    struct gdal_words *words = CPLGetErrorHandlerUserData();
    (void)number;
    if (level < CE_Warning || words->failed) return;
    words->failed = level >= CE_Failure;
    message = reason_of(message);
    snprintf(words->text, sizeof words->text, "%.*s", (int)strcspn(message, "\n"), message);
}

void gdal_listen(struct gdal_words *words)
{
    pthread_once(&once, start);
    *words = (struct gdal_words){.failed = 0};
    listeners++;
    CPLPushErrorHandlerEx(hear, words);
}

void gdal_ignore(void)
{
    CPLPopErrorHandler();
    listeners--;
}

gvm_status gdal_fail(gvm_error *err, gvm_status status, const char *where, const char *sentence,
                     const struct gdal_words *words)
{
    const char *why = words->text;
    if (words->failed && CPLGetLastErrorNo() == CPLE_OutOfMemory) status = GVM_MEMORY;
    size_t length = strlen(why);
    while (length > 0 && why[length - 1] == '.') length--;
    if (length == 0) return fail(err, status, "%s: %s", where, sentence);
    return fail(err, status, "%s: %s (%.*s)", where, sentence, (int)length, why);
}
