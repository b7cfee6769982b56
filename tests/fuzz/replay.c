/* replay.c - run a fuzz target once with each file of a folder, without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const char *path)
{
    static uint8_t bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(bytes, 1, sizeof bytes, file) : 0;
    uint8_t *copy = malloc(size + (size == 0)); /* of exactly its size, so that a read beyond it is found */
    if (file == NULL || ferror(file) || copy == NULL) abort();
    fclose(file);
    for (size_t i = 0; i < size; i++) copy[i] = bytes[i];
    fprintf(stderr, "%s\n", path); /* the last line names the input that ended the process */
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    char path[4096];
    int count = 0;
    if (folder == NULL) return 2;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        run(path);
        count++;
    }
    closedir(folder);
    return count > 0 ? 0 : 1;
}
