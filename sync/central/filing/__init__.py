"""What the school files for a class: its roster, its instructors and its timetable, from tables.

``tables_of`` reads a workbook or CSV into cells, ``checks`` turns cells into a filing or into
faults that each name a cell, ``records`` keeps a filing whole or not at all, and ``publish`` makes
of all of them the documents that each box gets.
"""
