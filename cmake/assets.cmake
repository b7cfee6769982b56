# assets.cmake - embeds the page's files and Leaflet in the program: ${CMAKE_BINARY_DIR}/assets.c, with a table of
# addresses. The assembler includes the files unchanged.

set(LEAFLET /usr/share/javascript/leaflet CACHE PATH "Leaflet's files, as Debian's libjs-leaflet has them")
if(NOT EXISTS ${LEAFLET}/leaflet.esm.js)
  message(FATAL_ERROR "Leaflet is not in ${LEAFLET}: install libjs-leaflet, or set its folder with -DLEAFLET=")
endif()

file(GLOB WEB_FILES CONFIGURE_DEPENDS program/server/web/*)
file(GLOB LEAFLET_IMAGES CONFIGURE_DEPENDS ${LEAFLET}/images/*.png)
set(ASSET_FILES "")
set(ASSET_CODE "/* The page's files. Written by cmake/assets.cmake. */\n#include \"server/assets.h\"\n\n")
set(ASSET_TABLE "")

function(add_asset path file)
  file(REAL_PATH ${file} file)
  list(LENGTH ASSET_FILES n)
  string(APPEND ASSET_CODE
    "extern const unsigned char asset_${n}[], asset_end_${n}[];\n"
    "__asm__(\".pushsection .rodata\\n.balign 16\\n.globl asset_${n}\\n.hidden asset_${n}\\nasset_${n}:\\n\"\n"
    "        \".incbin \\\"${file}\\\"\\n.globl asset_end_${n}\\n.hidden asset_end_${n}\\nasset_end_${n}:\\n\"\n"
    "        \".byte 0\\n.popsection\\n\");\n")
  string(APPEND ASSET_TABLE "    {\"${path}\", asset_${n}, asset_end_${n}},\n")
  set(ASSET_FILES ${ASSET_FILES} ${file} PARENT_SCOPE)
  set(ASSET_CODE "${ASSET_CODE}" PARENT_SCOPE)
  set(ASSET_TABLE "${ASSET_TABLE}" PARENT_SCOPE)
endfunction()

foreach(file ${WEB_FILES})
  get_filename_component(name ${file} NAME)
  if(name STREQUAL "index.html")
    add_asset(/ ${file})
  elseif(name STREQUAL "openapi.json")
    add_asset(/openapi.json ${file})
  else()
    add_asset(/app/${name} ${file})
  endif()
endforeach()
add_asset(/leaflet/leaflet.css ${LEAFLET}/leaflet.css)
add_asset(/leaflet/leaflet.esm.js ${LEAFLET}/leaflet.esm.js)
foreach(file ${LEAFLET_IMAGES})
  get_filename_component(name ${file} NAME)
  add_asset(/leaflet/images/${name} ${file})
endforeach()

set(ASSET_SOURCE ${CMAKE_BINARY_DIR}/assets.c)
file(CONFIGURE OUTPUT ${ASSET_SOURCE} @ONLY CONTENT
  "@ASSET_CODE@\nconst struct asset assets[] = {\n@ASSET_TABLE@};\n\nconst size_t asset_count = sizeof assets / sizeof *assets;\n")
set_source_files_properties(${ASSET_SOURCE} PROPERTIES OBJECT_DEPENDS "${ASSET_FILES}")
