{#- The form in which names are compared: case, composition and blanks do not count. Both sides of a comparison pass
    here. `name_key` in join_pipeline/csv_files.py gives the same. Upper case comes in between, because it alone makes
    one letter of σ and ς, and of i and ı. -#}
{% macro name_key(text) -%}
    trim(regexp_replace(
        nfc_normalize(
            replace(replace(lower(upper(lower(nfc_normalize({{ text }})))), 'ß', 'ss'), 'i' || chr(775), 'i')
        ),
        '[\s\x0b\x1c-\x1f\x85\p{Z}]+', ' ', 'g'
    ))
{%- endmacro %}
