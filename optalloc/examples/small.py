from optalloc.workbook.grid import Tables


def small() -> Tables:
    return {}
