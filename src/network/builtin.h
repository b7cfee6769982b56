/* builtin.h - models/nano.safetensors, embedded in the library, so that the program works without other files. */
#ifndef GVM_NETWORK_BUILTIN_H
#define GVM_NETWORK_BUILTIN_H

#include <stddef.h>

extern const unsigned char builtin_weights[], builtin_end[];

static inline size_t builtin_size(void)
{
    return (size_t)(builtin_end - builtin_weights);
}

#endif
