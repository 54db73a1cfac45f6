"""Wordings of what is found while a workbook is read into a round."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from integrated_fund.wording import Wording, error, warning

READING: Mapping[str, Wording] = MappingProxyType(
    {
        # sheets
        "missing_sheet": error(
            "a sheet named {sheet}",
            "The sheet {sheet} is missing. Add it, or start from a template: optalloc new.",
            "名为{sheet_zh}的工作表",
            "缺少工作表{sheet_zh}（{sheet}）。请补上，或从模板开始：optalloc new。",
        ),
        "projects_file_missing": error(
            "a CSV or Parquet file that is there",
            "There is no file {path}. The path counts from the folder of this workbook; blank: the sheet Projects.",
            "存在的CSV或Parquet文件",
            "没有文件{path}。路径从本工作簿所在文件夹算起；留空则使用项目表。",
        ),
        "projects_file_kind": error(
            "a file that ends in .csv or .parquet",
            "Projects can stand in a CSV or a Parquet file. Save the table as one of these; its name ends in .csv or .parquet.",
            "以.csv或.parquet结尾的文件",
            "项目可以放在CSV或Parquet文件中。请另存为其中一种，文件名以.csv或.parquet结尾。",
        ),
        "projects_file_url": error(
            "a path, no address on the internet",
            "Projects are read from a file on this machine. Save it beside this workbook and write its name.",
            "路径，而不是网址",
            "项目从本机的文件读取。请将其保存在本工作簿旁并填写文件名。",
        ),
        "projects_file_absolute": error(
            "a path that counts from the folder of this workbook",
            "The path must count from the folder of this workbook, so that both can be moved together: put the file there and write {name}.",
            "相对于本工作簿所在文件夹的路径",
            "路径须从本工作簿所在文件夹算起，以便一起移动：请将文件放入该文件夹并填写{name}。",
        ),
        "projects_file_unreadable": error(
            "a file that can be opened",
            "{path} cannot be opened ({reason}). Close it elsewhere, or ask for the right to read it.",
            "可以打开的文件",
            "无法打开{path}（{reason}）。请在其他程序中关闭它，或申请读取权限。",
        ),
        "projects_file_too_large": error(
            "a file that the memory of this machine can hold",
            "{path} needs more memory than there is. Take rows or columns out that are not needed.",
            "本机内存可容纳的文件",
            "{path}所需内存超出本机。请删去不需要的行或列。",
        ),
        "projects_file_too_long": error(
            "a file of at most {gib} GiB, {rows} rows and {cells} cells",
            "{path} has more than {gib} GiB, {rows} rows or {cells} cells. Take rows or columns out that are not needed.",
            "至多{gib} GiB、{rows}行、{cells}个单元格的文件",
            "{path}超过{gib} GiB、{rows}行或{cells}个单元格。请删去不需要的行或列。",
        ),
        "projects_file_encoding": error(
            "a CSV file in UTF-8",
            "Line {line} of {path} is not in UTF-8. Save the table again as “CSV UTF-8”, or as Parquet.",
            "UTF-8编码的CSV文件",
            "{path}第{line}行不是UTF-8编码。请重新保存为“CSV UTF-8”，或保存为Parquet。",
        ),
        "projects_file_quotes": error(
            "fields whose quotation marks are closed",
            "Line {line} of {path} cannot be taken apart: a quotation mark is not closed, stands within a field, or a field is endless. Save the table again.",
            "引号成对的字段",
            "{path}第{line}行无法拆分：引号未闭合、出现在字段中间，或字段过长。请重新保存。",
        ),
        "projects_file_damaged": error(
            "a Parquet file",
            "{path} is no Parquet file, or it is damaged. Save or copy it again.",
            "Parquet文件",
            "{path}不是Parquet文件，或已损坏。请重新保存或复制。",
        ),
        "projects_file_and_sheet": error(
            "projects in one place",
            "Projects stand in {path} and on the sheet Projects too. Empty the sheet, or leave projects_file blank.",
            "项目只放在一处",
            "{path}和项目表中都有项目。请清空项目表，或将项目文件留空。",
        ),
        "file_column_type": error(
            "texts, whole numbers, decimals, float64, dates or yes/no",
            "The column {column} holds {kind}, which no cell can. Save it as texts, decimals or float64, or leave it out.",
            "文本、整数、小数、float64、日期或是/否",
            "列{column}的类型为{kind}，单元格无法容纳。请保存为文本、小数或float64，或删去该列。",
        ),
        "file_row_width": error(
            "as many fields as headings",
            "This line has {count} fields, the headings are {width}. A text with a separator in it stands in quotes.",
            "字段数与标题数相同",
            "本行有{count}个字段，标题有{width}个。含分隔符的文本须加引号。",
        ),
        "sheet_twice": error(
            "one sheet {sheet}",
            "The sheet {sheet} stands twice (in English and in Chinese). Keep one of them.",
            "只有一个{sheet_zh}工作表",
            "工作表{sheet_zh}（{sheet}）出现两次。请只保留一个。",
        ),
        "near_sheet": error(
            "a known sheet name, such as {near}",
            "No sheet goes by this name. Did you mean {near}? Rename the sheet.",
            "已知的工作表名，例如{near}",
            "没有这个名称的工作表。是否为{near}？请改名。",
        ),
        "unknown_sheet": warning(
            "a sheet of the round workbook",
            "This sheet is not known and is not read. If it only holds notes, all is well.",
            "轮次工作簿中的工作表",
            "未知的工作表，不会读取。若只是备注则无妨。",
        ),
        "sheet_not_built": error(
            "an empty sheet {sheet}",
            "The sheet {sheet} is not supported yet. Clear its rows; they cannot be taken into account.",
            "空的{sheet_zh}工作表",
            "尚不支持工作表{sheet_zh}（{sheet}）。请清空其内容，否则无法计入。",
        ),
        "empty_sheet": error(
            "the headings of the sheet {sheet} in its first filled row",
            "The sheet {sheet} is empty. Put its headings in the first row and fill in at least one row.",
            "首个非空行为{sheet_zh}的列标题",
            "工作表{sheet_zh}（{sheet}）为空。请在首行填写列标题，并至少填写一行。",
        ),
        "no_headings": error(
            "the headings of the sheet {sheet} in its first filled row: {names} …",
            "The first filled row of the sheet {sheet} holds none of its headings. Put the headings there, with nothing above them.",
            "首个非空行为{sheet_zh}的列标题：{names_zh}等",
            "工作表{sheet_zh}（{sheet}）的首个非空行没有任何列标题。请在该行填写列标题，其上方不留内容。",
        ),
        "no_rows": error(
            "at least one filled row",
            "The sheet {sheet} has no rows. Fill in at least one.",
            "至少一个填写的行",
            "工作表{sheet_zh}（{sheet}）没有内容。请至少填写一行。",
        ),
        "hidden_sheet": warning(
            "a visible sheet",
            "This sheet is hidden; it counts all the same.",
            "可见的工作表",
            "该工作表被隐藏，但仍然计入。",
        ),
        "hidden_rows": warning(
            "visible rows",
            "{count} hidden rows are counted like the others. Delete them if they should not count.",
            "可见的行",
            "有{count}个隐藏行，照样计入。如不应计入，请删除。",
        ),
        "merged": error(
            "cells that are not merged",
            "The cells {area} are merged: only the first keeps a value, the others are blank. Unmerge them and fill in each cell.",
            "未合并的单元格",
            "单元格{area}已合并：只有第一格保留值，其余为空。请取消合并并逐一填写。",
        ),
        # headings
        "heading_twice": error(
            "each heading once",
            "This heading stands twice. Delete or rename one of the columns.",
            "每个列标题只出现一次",
            "该列标题出现两次。请删除或更名其中一列。",
        ),
        "near_column": error(
            "a known heading, such as {near}",
            "No column goes by this name. Did you mean {near}? Correct the heading.",
            "已知的列标题，例如{near}",
            "没有这个名称的列。是否为{near}？请更正。",
        ),
        "unknown_column": error(
            "one of {names}",
            "The sheet {sheet} has no such column. Correct the heading or delete the column.",
            "{names_zh}之一",
            "工作表{sheet_zh}没有这一列。请更正列标题或删除该列。",
        ),
        "missing_column": error(
            "a column {column}",
            "The sheet {sheet} needs a column {column}. Add it.",
            "列{column_zh}",
            "工作表{sheet_zh}需要列{column_zh}（{column}）。请补上。",
        ),
        "text_column": warning(
            "numbers, or a known heading",
            "This column holds text under a heading that is not known: it is not read.",
            "数值，或已知的列标题",
            "该列为文本且列标题未知，不会读取。",
        ),
        "no_heading_above": warning(
            "a heading above the value, or no value",
            "There is a value in a column without a heading: it is not read.",
            "上方有列标题，或没有值",
            "该列没有标题，其中的值不会读取。",
        ),
        "column_not_built": error(
            "a blank cell",
            "{column} is not supported yet. Clear the cell; it cannot be taken into account.",
            "空白单元格",
            "尚不支持{column_zh}（{column}）。请清空，否则无法计入。",
        ),
        # cells
        "missing_value": error(
            "a value for {column}",
            "{column} must be filled in here.",
            "{column_zh}的值",
            "此处必须填写{column_zh}（{column}）。",
        ),
        "not_a_number": error(
            "a plain number, such as 1200 or 0.5",
            "This is not a plain number. Type it without thousands marks, units or letters.",
            "普通数字，例如1200或0.5",
            "这不是普通数字。请勿使用千位分隔符、单位或字母。",
        ),
        "number_as_text": warning(
            "a number",
            "This number is stored as text; it is taken as the number it shows.",
            "数字",
            "该数字以文本形式保存，按其显示的数字计入。",
        ),
        "too_many_digits": error(
            "at most 15 digits",
            "A number holds 15 digits, decimals included; this one has more. Round it, or use a larger unit.",
            "至多15位数字",
            "数字至多15位（含小数），此处超出。请取整或使用更大的计量单位。",
        ),
        "boolean": error(
            "a number",
            "TRUE or FALSE stands where a number belongs. Type the number.",
            "数字",
            "此处应为数字，却是TRUE或FALSE。请填写数字。",
        ),
        "date": error(
            "a number",
            "A date stands where a number belongs. Type the number and set the cell's format to General.",
            "数字",
            "此处应为数字，却是日期。请填写数字并将单元格格式设为常规。",
        ),
        "cell_error": error(
            "a value",
            "The cell shows an Excel error. Mend the formula or type the value.",
            "值",
            "单元格显示Excel错误。请修正公式或直接填写值。",
        ),
        "cell_formula_without_value": error(
            "a value",
            "This formula has never been calculated. Open the workbook in Excel, let it calculate, save it again.",
            "值",
            "该公式从未计算。请在Excel中打开、计算并重新保存。",
        ),
        "cell_markup": error(
            "a plain value",
            "The cell's stored value is damaged. Type it again and save.",
            "普通的值",
            "单元格保存的值已损坏。请重新填写并保存。",
        ),
        "cell_bad_number": error(
            "a number",
            "The stored number cannot be read. Type it again and save.",
            "数字",
            "保存的数字无法读取。请重新填写并保存。",
        ),
        "cell_repeated": error(
            "one value",
            "The file holds two values for this cell. Type it again in Excel and save.",
            "一个值",
            "文件中该单元格有两个值。请在Excel中重新填写并保存。",
        ),
        "negative": error(
            "0 or more",
            "{column} cannot be negative.",
            "0或以上",
            "{column_zh}不能为负。",
        ),
        "not_positive": error(
            "more than 0",
            "{column} must be more than 0.",
            "大于0",
            "{column_zh}必须大于0。",
        ),
        "too_small": error(
            "{least} or more",
            "{column} must be {least} or more.",
            "{least}或以上",
            "{column_zh}不能小于{least}。",
        ),
        "too_large": error(
            "{most} or less",
            "{column} must be {most} or less.",
            "{most}或以下",
            "{column_zh}不能大于{most}。",
        ),
        "not_whole": error(
            "a whole number",
            "{column} must be a whole number.",
            "整数",
            "{column_zh}必须为整数。",
        ),
        "not_a_year": error(
            "a year such as 2027",
            "This is not a year. Type it with four digits.",
            "年度，例如2027",
            "这不是年度。请用四位数字填写。",
        ),
        "not_years": error(
            "years separated by ; such as 2027; 2028",
            "Write each year with four digits, separated by ; (all but one: !2027).",
            "用;分隔的年度，例如2027; 2028",
            "请用四位数字填写每个年度，用;分隔（排除某年：!2027）。",
        ),
        "not_a_share": error(
            "a share from 0 to 1, such as 0.45 or 45 %",
            "{column} is a share: type 0.45 or 45 %, not 45.",
            "0到1的比例，例如0.45或45 %",
            "{column_zh}为比例：请填0.45或45 %，而不是45。",
        ),
        "not_a_multiple": error(
            "a multiple of {step}, such as {below} or {above}",
            "Amounts are whole multiples of the step {step}. Take {below} or {above}, or a finer step on the sheet Round.",
            "{step}的整数倍，例如{below}或{above}",
            "金额须为最小单位{step}的整数倍。请取{below}或{above}，或在轮次表中设更小的单位。",
        ),
        "not_a_choice": error(
            "one of {choices}",
            "{column} takes one of {choices}.",
            "{choices_zh}之一",
            "{column_zh}应为{choices_zh}之一。",
        ),
        "choice_not_built": error(
            "another choice",
            "{value} is not supported yet for {column}.",
            "其他选项",
            "{column_zh}尚不支持{value}。",
        ),
        "bad_shares": error(
            "a region, or shares such as beijing:0.6; gansu:0.4",
            "The shares cannot be read. Write region:share, separated by ;",
            "一个地区，或份额如beijing:0.6; gansu:0.4",
            "份额无法读取。请写作地区:份额，用;分隔。",
        ),
        "shares_sum": error(
            "shares that add up to 1",
            "The shares add up to {total}. Make them add up to 1.",
            "合计为1的份额",
            "份额合计为{total}。应合计为1。",
        ),
        "bad_profile": error(
            "yearly shares such as 0.5; 0.3; 0.2",
            "The profile cannot be read. Write one share a year, separated by ;",
            "年度份额，例如0.5; 0.3; 0.2",
            "年度分布无法读取。请每年写一个份额，用;分隔。",
        ),
        "profile_sum": error(
            "yearly shares that add up to 1",
            "The yearly shares add up to {total}. Make them add up to 1.",
            "合计为1的年度份额",
            "年度份额合计为{total}。应合计为1。",
        ),
        "value_twice": error(
            "each value once",
            "A value stands twice in this cell. Delete one of them.",
            "每个值只出现一次",
            "该单元格中有重复的值。请删除其一。",
        ),
        "empty_filter": error(
            "a value behind !",
            "There is nothing behind the !. Write !value for everything but the value.",
            "!后面的值",
            "!后面没有值。请写作!值，表示除该值以外。",
        ),
        # names
        "reserved_character": error(
            "a name without ; : @ *",
            "Names cannot hold ; : @ or *. Take another character.",
            "不含; : @ *的名称",
            "名称中不能有; : @或*。请改用其他字符。",
        ),
        "empty_name": error(
            "a name",
            "There is no name here that can be read: only separators or invisible characters. Type the name.",
            "名称",
            "此处没有可读的名称：只有分隔符或不可见字符。请填写名称。",
        ),
        "one_value": error(
            "one value, without ;",
            "This cell takes one value, and ; separates several. Keep one, or take another character.",
            "一个值，不含;",
            "该单元格只能填一个值，而;用于分隔多个值。请只保留一个，或改用其他字符。",
        ),
        "control_character": error(
            "a name on one line",
            "The name holds a line break or another control character. Type it again.",
            "单行名称",
            "名称中含有换行或其他控制字符。请重新填写。",
        ),
        "boolean_id": error(
            "a name",
            "TRUE or FALSE stands where a name belongs. Type the name.",
            "名称",
            "此处应为名称，却是TRUE或FALSE。请填写名称。",
        ),
        "date_id": error(
            "a name",
            "Excel has made a date of this name. Set the cell's format to Text and type the name again.",
            "名称",
            "Excel把该名称变成了日期。请将单元格格式设为文本并重新填写。",
        ),
        "long_id": error(
            "a name of at most 15 digits, or stored as text",
            "Excel keeps only 15 digits of a number. Set the cell's format to Text and type the name again.",
            "至多15位数字，或以文本保存的名称",
            "Excel只保留15位数字。请将单元格格式设为文本并重新填写。",
        ),
        "key_twice": error(
            "a name that no other row has",
            "{first} has the same name (case, width and blanks do not count). Give one of them another name.",
            "与其他行不同的名称",
            "与{first}同名（不区分大小写、全半角和空格）。请更改其一。",
        ),
        "outer_blanks": warning(
            "the name without blanks around it",
            "There are blanks before or after the name; it is taken without them.",
            "前后没有空格的名称",
            "名称前后有空格，按去掉空格处理。",
        ),
        "folded_reference": warning(
            "{defined}",
            "This is taken as {defined}, which is spelt a little differently.",
            "{defined}",
            "按{defined}处理，二者写法略有不同。",
        ),
        # settings
        "missing_setting": error(
            "a row with the setting {setting}",
            "The sheet Round needs a row {setting}. Add it with its value.",
            "设置项{setting_zh}所在的行",
            "轮次表需要设置项{setting_zh}（{setting}）。请补上并填写。",
        ),
        "near_setting": error(
            "a known setting, such as {near}",
            "There is no such setting. Did you mean {near}?",
            "已知的设置项，例如{near}",
            "没有这个设置项。是否为{near}？",
        ),
        "unknown_setting": error(
            "one of {known}",
            "There is no such setting. Correct it or delete the row.",
            "{known_zh}之一",
            "没有这个设置项。请更正或删除该行。",
        ),
        "setting_twice": error(
            "each setting once",
            "This setting stands already at {first}. Delete one of the rows.",
            "每个设置项只出现一次",
            "该设置项已出现在{first}。请删除其一。",
        ),
        # years, weights
        "first_year_missing": error(
            "the setting first_year",
            "A round with several years, or with a year in any cell, needs its first year. Add a row first_year with it to the sheet Round.",
            "设置项起始年度",
            "有多个年度或任何单元格填有年度的轮次需要起始年度。请在轮次表中添加起始年度一行。",
        ),
        "source_year_missing": error(
            "the year of the money",
            "The round has several years: say which year this money is for.",
            "资金所属年度",
            "轮次有多个年度：请填写资金所属年度。",
        ),
        "weight_missing": error(
            "a number of 0 or more",
            "The method {method} needs a weight for every criterion.",
            "0或以上的数字",
            "加权方法要求每个指标都有权重。",
        ),
        "priority_missing": error(
            "a whole number",
            "The method {method} needs a priority for every criterion: the lowest number counts first.",
            "整数",
            "逐级方法要求每个指标都有优先级：数字小者优先。",
        ),
    }
)
