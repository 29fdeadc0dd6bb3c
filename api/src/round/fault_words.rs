//! What the check of a folder finds, in Vietnamese: one sentence a fault code, in one table.
//!
//! To add a code, add a line. Where a message carries particulars (a column's name, a bound), patterns may follow: the
//! English message with `{}` for each particular, and the Vietnamese one with the same particulars in the same order.
//! A message that fits no pattern gets the code's plain sentence; nobody is ever shown the English one.

use survey_forms::Fault;

/// A code, its sentence, and patterns for messages with particulars.
type Line = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const LINES: &[Line] = &[
    // the folder and its files
    (
        "too_many_files",
        "Thư mục có quá nhiều tệp. Chỉ giữ các tệp của đợt điều tra.",
        &[("Keep the folder to {} files; it has {}.", "Thư mục chỉ được có tối đa {} tệp; hiện có {}.")],
    ),
    ("path_unsafe", "Đổi tên tệp: chỉ dùng chữ cái không dấu, chữ số, dấu chấm, “-” và “_”; không dùng “..”.", &[]),
    ("file_unknown", "Tệp này không thuộc đợt điều tra nên không được đọc. Xóa tệp hoặc sửa lại tên.", &[]),
    ("file_too_big", "Tệp quá lớn.", &[("Keep the file under {} bytes.", "Tệp phải nhỏ hơn {} byte.")]),
    (
        "file_missing",
        "Thiếu tệp này. Hãy thêm vào thư mục.",
        &[("Add the file {}.", "Thiếu tệp {}. Hãy thêm vào thư mục.")],
    ),
    (
        "not_utf8",
        "Tệp không phải UTF-8. Hãy lưu lại tệp với bảng mã UTF-8.",
        &[(
            "The file looks like {}: save it as UTF-8.",
            "Tệp có vẻ dùng bảng mã {}. Hãy chuyển mã và lưu lại tệp với bảng mã UTF-8.",
        )],
    ),
    (
        "text_twice_encoded",
        "Chữ tiếng Việt bị hỏng do mở nhầm bảng mã rồi lưu lại (dạng “Sá»Ÿ Ná»™i vá»¥”). Hãy lấy lại bản gốc.",
        &[],
    ),
    ("text_not_nfc", "Hãy lưu chữ ở dạng Unicode dựng sẵn (NFC, TCVN 6909).", &[]),
    ("text_control", "Dòng này có ký tự điều khiển hoặc ký tự ẩn. Hãy xóa ký tự đó.", &[]),
    ("toml_syntax", "Chỗ này sai cú pháp TOML. Hãy kiểm tra dấu nháy, dấu ngoặc và dấu bằng.", &[]),
    (
        "json_syntax",
        "Chỗ này sai cú pháp JSON. Hãy kiểm tra dấu nháy, dấu ngoặc và dấu phẩy.",
        &[
            ("Write one JSON object.", "Tệp phải là một đối tượng JSON."),
            (
                "Leave out what has no value: null is not a value here.",
                "Bỏ mục không có giá trị: không dùng null ở đây.",
            ),
        ],
    ),
    ("csv_syntax", "Dòng này sai cú pháp CSV. Hãy kiểm tra dấu nháy kép và dấu phẩy.", &[]),
    // keys and values
    (
        "key_unknown",
        "Không có khóa này. Xóa khóa hoặc sửa lại tên.",
        &[(
            "Remove the key or mend its name; known here: {}.",
            "Không có khóa này. Xóa khóa hoặc sửa lại tên; ở đây chỉ có: {}.",
        )],
    ),
    ("key_missing", "Thiếu khóa này. Hãy thêm vào.", &[]),
    ("key_unfit", "Khóa này không đi cùng các khóa khác của mục. Xóa khóa này hoặc sửa loại của mục.", &[]),
    (
        "value_type",
        "Giá trị không đúng kiểu.",
        &[
            ("Write a text in quotes here.", "Ở đây phải là chữ trong dấu nháy."),
            ("Write a code in quotes here.", "Ở đây phải là mã trong dấu nháy."),
            ("Write a word in quotes here.", "Ở đây phải là một từ trong dấu nháy."),
            ("Write true or false here.", "Ở đây phải là true hoặc false."),
            ("Write a whole number from {} to {} here.", "Ở đây phải là số nguyên từ {} đến {}."),
            (
                "Write a decimal number in quotes, such as {} here.",
                "Ở đây phải là số thập phân trong dấu nháy, ví dụ {}.",
            ),
            ("Write a date and time such as {} here.", "Ở đây phải là ngày giờ có múi giờ, ví dụ {}."),
        ],
    ),
    (
        "number_range",
        "Số nằm ngoài khoảng cho phép.",
        &[
            ("Write a whole number from {} to {} here.", "Hãy viết số nguyên từ {} đến {}."),
            ("Write a decimal number from {} to {}, such as {}.", "Hãy viết số thập phân từ {} đến {}, ví dụ {}."),
            ("Write a share from {} (never void) to {}.", "Hãy viết tỷ lệ từ {} (không loại phiếu nào) đến {}."),
            ("Write a weight above 0.", "Trọng số phải lớn hơn 0."),
            (
                "A distribution says more than a mean: write a number not below k.",
                "Bảng phân bố cho biết nhiều hơn điểm trung bình: hãy viết số không nhỏ hơn k.",
            ),
            (
                "The list has fewer choices than that: mend the number or take it out.",
                "Danh sách có ít lựa chọn hơn số này: sửa số hoặc bỏ đi.",
            ),
            ("Let the greatest number not be below the least.", "Số lớn nhất không được nhỏ hơn số nhỏ nhất."),
        ],
    ),
    (
        "too_many_entries",
        "Danh sách quá dài. Hãy bớt đi.",
        &[("Keep a questionnaire to {} items.", "Một mẫu phiếu có tối đa {} câu hỏi.")],
    ),
    (
        "word_unknown",
        "Từ này không được dùng ở đây. Hãy xem hướng dẫn về khóa này.",
        &[("Write {} or {}.", "Hãy viết {} hoặc {}.")],
    ),
    (
        "addressed_unfit",
        "Thư chỉ mang mã của một phiếu trả lời trực tuyến: nhóm nhận mã qua thư phải có đơn vị, trả lời trực tuyến, và \
         không đánh giá mỗi phiếu một cơ quan.",
        &[],
    ),
    ("time_form", "Hãy viết giờ trong dấu nháy, ví dụ “08:30”.", &[]),
    ("reminders_form", "Hãy viết tối đa 10 số nguyên tăng dần từ 1 đến 366, ví dụ [5, 12].", &[]),
    ("code_charset", "Mã chỉ gồm tối đa 40 chữ cái, chữ số, “-”, “_” và “.”, bắt đầu bằng chữ cái hoặc chữ số.", &[]),
    (
        "code_double",
        "Mã này đã có. Mỗi mục phải có mã riêng (không phân biệt chữ hoa, chữ thường).",
        &[
            (
                "The code already stands on line {}: give this row another.",
                "Mã này đã có ở dòng {}. Hãy đặt mã khác cho dòng này.",
            ),
            (
                "Give each option of a {} a code of its own.",
                "Mỗi phương án của một thang hay danh sách phải có mã riêng.",
            ),
            (
                "A list of choices has this code too: {}.",
                "Một danh sách lựa chọn đã có mã này. Hãy đặt mã khác cho một trong hai.",
            ),
            ("Ask each item once.", "Mỗi câu hỏi chỉ được hỏi một lần trong một mẫu phiếu."),
        ],
    ),
    ("text_empty", "Chưa có chữ. Hãy điền vào.", &[]),
    ("text_padded", "Xóa khoảng trắng ở đầu và cuối.", &[]),
    (
        "text_too_long",
        "Chữ quá dài. Hãy rút ngắn.",
        &[("Shorten the text to at most {} characters.", "Hãy rút ngắn còn tối đa {} ký tự.")],
    ),
    ("id_slug", "Mã đợt gồm tối đa 64 chữ thường không dấu, chữ số và dấu “-” đơn, ví dụ tinh-2023.", &[]),
    ("date_form", "Hãy viết ngày theo dạng 2023-07-01, hoặc để trống ô này.", &[]),
    (
        "dates_order",
        "Các ngày không đúng thứ tự.",
        &[
            ("Let the round close after it opens.", "Ngày hết hạn phải sau ngày mở."),
            (
                "Let keying close when the round closes, or later.",
                "Hạn nhập phiếu giấy không được trước hạn trả lời trực tuyến.",
            ),
            ("Publish when keying has closed, or later.", "Ngày công bố không được trước hạn nhập phiếu giấy."),
            ("Let the unit end after it begins.", "Ngày kết thúc của đơn vị phải sau ngày bắt đầu."),
        ],
    ),
    // tables
    (
        "column_double",
        "Có hai cột trùng tên. Hãy xóa một cột.",
        &[("Remove the second column {}.", "Cột {} có hai lần. Hãy xóa một cột.")],
    ),
    (
        "column_unknown",
        "Không có cột này. Xóa cột hoặc sửa lại tên.",
        &[(
            "Remove the column or mend its name; known here: {}.",
            "Có cột không dùng được. Xóa cột hoặc sửa lại tên; bảng này chỉ có: {}.",
        )],
    ),
    (
        "column_missing",
        "Thiếu một cột. Hãy thêm cột.",
        &[
            (
                "Add the column {}; columns are separated by tabs.",
                "Thiếu cột {}. Hãy thêm cột; các cột cách nhau bằng phím Tab.",
            ),
            (
                "Add the column {}; columns are separated by commas.",
                "Thiếu cột {}. Hãy thêm cột; các cột cách nhau bằng dấu phẩy.",
            ),
        ],
    ),
    (
        "column_count",
        "Số ô trên dòng không khớp với dòng tiêu đề.",
        &[("Write {} columns; there are {}.", "Dòng phải có {} ô; hiện có {}.")],
    ),
    ("too_many_rows", "Bảng có quá nhiều dòng.", &[("Keep the table to {} rows.", "Bảng có tối đa {} dòng.")]),
    (
        "table_double",
        "Bảng này có hai tệp, .tsv và .csv. Chỉ giữ một tệp.",
        &[("Keep {} or this file: {}", "Bảng này có hai tệp. Chỉ giữ {} hoặc tệp này.")],
    ),
    ("text_lines", "Chữ phải viết trên một dòng; có thể thiếu một dấu nháy kép.", &[]),
    ("table_empty", "Bảng chưa có dòng nào dưới dòng tiêu đề. Hãy thêm ít nhất một dòng.", &[]),
    ("row_double", "Dòng này lặp lại. Hãy xóa dòng.", &[]),
    // units, targets, who rates whom
    ("kind_unknown", "Không có loại này. Chỉ dùng các loại đã khai trong round.toml, hoặc khai thêm ở đó.", &[]),
    ("kind_unused", "Loại này không có mục nào. Hãy xóa đi.", &[]),
    ("kind_empty", "Bảng đơn vị không có đơn vị nào thuộc loại này. Hãy thêm đơn vị hoặc bỏ loại này.", &[]),
    ("name_double", "Một cơ quan khác đã có tên này; người trả lời không phân biệt được.", &[]),
    ("unit_unknown", "Không có đơn vị này trong bảng đơn vị. Sửa lại hoặc để trống ô.", &[]),
    (
        "unit_not_in_force",
        "Đơn vị bắt đầu hoặc kết thúc trong thời gian thu phiếu: đơn vị tham gia nếu có vào ngày đầu.",
        &[],
    ),
    (
        "target_not_in_force",
        "Cơ quan bắt đầu hoặc kết thúc trong thời gian thu phiếu: cơ quan được đánh giá nếu có vào ngày đầu.",
        &[],
    ),
    (
        "unit_rates_nothing",
        "Người của đơn vị này sẽ không đánh giá cơ quan nào. Điền ô này hoặc đổi loại đơn vị.",
        &[(
            "People of this unit, in group {}, would rate nothing: {}.",
            "Người của đơn vị này, trong nhóm {}, sẽ không đánh giá cơ quan nào. Điền ô này hoặc đổi loại đơn vị.",
        )],
    ),
    ("parent_circle", "Đơn vị nằm trên chính nó. Hãy sửa lại chuỗi đơn vị cấp trên.", &[]),
    ("target_unknown", "Không có cơ quan này trong bảng cơ quan được đánh giá. Sửa lại hoặc để trống ô.", &[]),
    ("target_unrated", "Không nhóm nào đánh giá cơ quan này. Giao cho một nhóm đánh giá, hoặc xóa cơ quan.", &[]),
    ("division_unknown", "Bảng phân công (mapping) chưa có dòng cho mảng việc này. Thêm dòng hoặc sửa lại.", &[]),
    ("division_unused", "Không đơn vị nào có mảng việc này. Xóa dòng hoặc sửa lại.", &[]),
    ("group_unknown", "Không có nhóm này trong round.toml. Sửa lại mã nhóm hoặc xóa mẫu phiếu.", &[]),
    ("group_rates_nothing", "Nhóm này không đánh giá cơ quan nào. Sửa nguồn, đối tượng đánh giá hoặc các bảng.", &[]),
    ("sources_empty", "Hãy nêu loại đơn vị có người được hỏi: họ đánh giá ai là tùy đơn vị của họ.", &[]),
    (
        "rates_form",
        "Hãy viết \"own_unit\", \"parent\", \"mapped\", { kinds = [..] }, { targets = [..] } hoặc { one_per_ballot = [..] }.",
        &[],
    ),
    (
        "quota_form",
        "Hãy viết \"roster\", { fixed = 30 }, { per_target = 2, of = \"loại\" } hoặc { per_source_unit = 2, of = \"loại\" }.",
        &[],
    ),
    (
        "quota_unfit",
        "Chỉ tiêu không hợp với nhóm này.",
        &[
            (
                "So many ballots a target need {}.",
                "Chỉ tiêu theo cơ quan cần rates = { one_per_ballot = [..] } và sources = [].",
            ),
            (
                "Targets of the other kinds get no ballot: {}.",
                "Cơ quan thuộc loại khác sẽ không có phiếu: hãy nêu cùng một loại ở one_per_ballot và ở of.",
            ),
            (
                "One target a ballot needs {}.",
                "Mỗi phiếu một cơ quan thì chỉ tiêu phải là { per_target = .., of = \"loại\" }.",
            ),
            (
                "Name one unit kind, the same in sources and in of.",
                "Hãy nêu một loại đơn vị, giống nhau ở sources và ở of.",
            ),
            (
                "A fixed number for several units {}.",
                "Một số cố định cho nhiều đơn vị không cho biết mỗi đơn vị bao nhiêu phiếu: hãy dùng per_source_unit.",
            ),
            (
                "A roster names units: {}.",
                "Danh sách mời ghi theo đơn vị: hãy nêu loại đơn vị ở sources, hoặc cố định số phiếu.",
            ),
        ],
    ),
    ("too_many_routes", "Quá nhiều đơn vị đánh giá quá nhiều cơ quan. Hãy hỏi ít đơn vị hơn.", &[]),
    (
        "paper_total",
        "Tổng số phiếu giấy không khớp.",
        &[
            (
                "The paper quotas add up to {} ({}), not to {}: {}",
                "Các chỉ tiêu phiếu giấy cộng lại là {} ({}), không phải {}. Hãy sửa chỉ tiêu hoặc tổng số.",
            ),
            (
                "Fix the number of paper ballots, {}",
                "Hãy cố định số phiếu giấy, hoặc bỏ declared_paper_total: danh sách mời chưa có số.",
            ),
        ],
    ),
    // questionnaires, scales, criteria
    ("questionnaire_missing", "Nhóm này chưa có mẫu phiếu. Hãy thêm tệp trong thư mục questionnaires.", &[]),
    ("questionnaire_double", "Mỗi nhóm chỉ có một mẫu phiếu. Hãy xóa bớt.", &[]),
    ("scale_unknown", "Không có thang này. Dùng một thang của bảng thang, hoặc thêm thang vào đó.", &[]),
    ("scale_unused", "Không câu hỏi nào dùng thang này. Hãy xóa đi.", &[]),
    ("scale_short", "Thang phải có ít nhất hai phương án có tỷ lệ điểm.", &[]),
    (
        "scale_long",
        "Thang hoặc danh sách trên giấy có tối đa chín phương án: phiếu giấy được nhập bằng một chữ số.",
        &[],
    ),
    ("scale_scattered", "Các phương án của một thang hay danh sách phải đứng liền nhau.", &[]),
    (
        "scale_without_excluded",
        "Người không có thông tin sẽ phải đoán. Nên thêm một phương án để trống tỷ lệ điểm.",
        &[],
    ),
    ("label_double", "Hai phương án cùng một lời. Hãy sửa một phương án.", &[]),
    ("choices_unknown", "Không có danh sách lựa chọn này. Hãy thêm vào bảng choices hoặc sửa lại.", &[]),
    ("criterion_unused", "Không mẫu phiếu nào hỏi câu này nên không bao giờ có điểm. Xóa dòng hoặc thêm câu hỏi.", &[]),
    ("field_unknown", "Không có lĩnh vực này. Dùng một lĩnh vực đã khai trong round.toml, hoặc khai thêm ở đó.", &[]),
    ("field_unused", "Không tiêu chí nào thuộc lĩnh vực này. Hãy xóa đi.", &[]),
    (
        "item_small_pool",
        "Câu hỏi này có quá ít phiếu (dưới k) về một số cơ quan, mà điểm chung vẫn được công bố. Nên hỏi thêm một nhóm nữa.",
        &[(
            "About {} this item is asked on fewer than k = {} ballots, {}",
            "Về {}, câu này được hỏi trên ít hơn k = {} phiếu mà điểm chung vẫn được công bố. Nên hỏi thêm một nhóm nữa.",
        )],
    ),
    (
        "stratum_small",
        "Nhóm này có quá ít phiếu về một số cơ quan: điểm trung bình riêng của nhóm ở đó không bao giờ được công bố.",
        &[(
            "About {} of {} targets this group has fewer than k = {} ballots: {}",
            "Về {} trong {} cơ quan, nhóm này có ít hơn k = {} phiếu: điểm trung bình riêng của nhóm ở đó không bao giờ được công bố, chỉ gộp với các nhóm khác.",
        )],
    ),
    ("item_unscored", "Câu hỏi này không tính vào điểm nào. Thêm dòng trong bảng tiêu chí, hoặc sửa mã.", &[]),
    ("k_small", "Với k nhỏ như vậy có thể suy ra câu trả lời của từng người; nên dùng 10.", &[]),
    // conditions
    ("condition_form", "Mỗi điều kiện nói một điều: is, is_not, answered, hoặc at_least và at_most.", &[]),
    (
        "condition_never",
        "Điều kiện này không bao giờ đúng.",
        &[("Let at_most not be below at_least.", "at_most không được nhỏ hơn at_least.")],
    ),
    (
        "condition_unknown",
        "Điều kiện nêu một câu hỏi không có trong mẫu phiếu.",
        &[(
            "This form has no item {}: name one that comes earlier.",
            "Mẫu phiếu không có câu {}. Hãy nêu một câu đứng trước.",
        )],
    ),
    (
        "condition_not_earlier",
        "Điều kiện chỉ được nhìn về câu hỏi đứng trước.",
        &[(
            "An item may look back only; {} cannot be known yet ({}): name an earlier one.",
            "Điều kiện chỉ được nhìn về câu đứng trước; chưa thể biết câu {}. Hãy nêu một câu đứng trước.",
        )],
    ),
    (
        "condition_unfit",
        "Điều kiện không hợp với loại câu hỏi mà nó nêu.",
        &[
            (
                "Free text leaves its ballot when the box is opened, so nothing may depend on {}.",
                "Câu trả lời tự do được tách khỏi phiếu khi mở hòm, nên không điều kiện nào được dựa vào câu {}.",
            ),
            (
                "at_least and at_most need a number, and {} is none.",
                "at_least và at_most cần một câu trả lời bằng số, mà câu {} không phải.",
            ),
            (
                "{} has no options: use at_least, at_most or answered.",
                "Câu {} không có phương án: hãy dùng at_least, at_most hoặc answered.",
            ),
            ("Name at least one option of {}.", "Hãy nêu ít nhất một phương án của câu {}."),
            ("{} has no option {}.", "Câu {} không có phương án {}."),
        ],
    ),
    // languages and letters
    ("language_tag", "Hãy viết mã ngôn ngữ như \"en\"; tiếng Việt (\"vi\") luôn có sẵn.", &[]),
    (
        "placeholder_unknown",
        "Thư có chỗ điền không có sẵn. Hãy sửa lại tên trong ngoặc nhọn.",
        &[("Nothing is filled in for {}; known here: {}.", "Không có gì để điền cho {}; ở đây chỉ có: {}.")],
    ),
    ("placeholder_missing", "Thư phải có {link} hoặc {code}; nếu không, không ai trả lời được.", &[]),
    (
        "placeholder_unfit",
        "Tiêu đề thư hiện trên màn hình khóa và trong nhật ký: hãy bỏ mã và liên kết ra khỏi tiêu đề.",
        &[],
    ),
    (
        "translation_missing",
        "Một số chữ chưa có bản dịch nên hiện bằng tiếng Việt. Hãy thêm dòng vào bảng dịch.",
        &[(
            "{} texts have no translation and are shown in Vietnamese, the first of them {}: add rows to {}.",
            "Có {} chữ chưa được dịch nên hiện bằng tiếng Việt, đầu tiên là {}. Hãy thêm dòng vào {}.",
        )],
    ),
    ("translation_unused", "Chữ tiếng Việt này không có trong đợt điều tra. Xóa dòng hoặc sửa lại cho khớp.", &[]),
    // reuse
    ("merge_chain", "Mục này cũng được gộp vào nơi khác. Hãy nêu nơi cuối cùng mà cả hai thuộc về.", &[]),
    (
        "merge_unknown",
        "Đợt cũ không có đơn vị hay cơ quan này. Hãy sửa lại mã.",
        &[(
            "The old round has no unit and no target {}: mend the code.",
            "Đợt cũ không có đơn vị hay cơ quan {}. Hãy sửa lại mã.",
        )],
    ),
    // the logo
    ("logo_name", "Hãy nêu một tệp của thư mục này có đuôi .svg hoặc .png.", &[]),
    (
        "logo_too_big",
        "Biểu trưng quá lớn.",
        &[("Keep the logo to {} bytes; it has {}.", "Biểu trưng có tối đa {} byte; hiện có {}.")],
    ),
    (
        "logo_heavy",
        "Biểu trưng nặng nên không hiện trên các trang câu hỏi.",
        &[(
            "Pages with questions leave out a logo of more than {} bytes, {}",
            "Biểu trưng nặng hơn {} byte không hiện trên các trang câu hỏi, để trang nhẹ.",
        )],
    ),
    ("logo_png", "Hãy lưu biểu trưng thành ảnh PNG.", &[]),
    ("logo_svg", "Hãy lưu biểu trưng thành ảnh SVG.", &[]),
    ("logo_active", "Biểu trưng chỉ được vẽ: hãy xóa tập lệnh, liên kết và tham chiếu ra ngoài.", &[]),
];

/// For a code that has no line yet: it says where to look, in Vietnamese all the same.
const UNKNOWN: &str = "Chỗ này chưa đúng. Hãy đối chiếu với hướng dẫn về bộ tệp của đợt điều tra.";

/// The sentence of a fault.
pub(super) fn sentence(fault: &Fault) -> String {
    let Some((_, plain, patterns)) = line(fault.code) else { return UNKNOWN.to_owned() };
    let fitting =
        patterns.iter().find_map(|(english, vietnamese)| Some((particulars(english, &fault.message)?, vietnamese)));
    match fitting {
        Some((found, vietnamese)) => filled(vietnamese, &found),
        None => (*plain).to_owned(),
    }
}

fn line(code: &str) -> Option<&'static Line> {
    LINES.iter().find(|(known, ..)| *known == code)
}

/// What stands for each `{}` of `pattern`, when `message` has its shape.
fn particulars<'m>(pattern: &str, message: &'m str) -> Option<Vec<&'m str>> {
    let mut parts = pattern.split("{}");
    let mut rest = message.strip_prefix(parts.next().unwrap_or_default())?;
    let mut found = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let (before, after) = if is_last { (rest.strip_suffix(part)?, "") } else { rest.split_once(part)? };
        found.push(before);
        rest = after;
    }
    rest.is_empty().then_some(found)
}

/// The pattern with its particulars; those beyond its own `{}` are left out.
fn filled(pattern: &str, particulars: &[&str]) -> String {
    let mut given = particulars.iter();
    let mut text = String::new();
    for (index, part) in pattern.split("{}").enumerate() {
        if index > 0 {
            text.push_str(given.next().copied().unwrap_or_default());
        }
        text.push_str(part);
    }
    text
}

/// A fault's place: `line 12, target_kind` in Vietnamese; the path of a key stays as it is.
pub(super) fn place(place: &str) -> String {
    let Some(rest) = place.strip_prefix("line ") else { return place.to_owned() };
    match rest.split_once(", ") {
        Some((line, column)) => format!("dòng {line}, cột {column}"),
        None => format!("dòng {rest}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use survey_forms::{Round, quang_nam_2023};

    use super::*;

    /// Codes in the source of the check: a word in snake case that is followed by its message, as in every call that
    /// reports a fault.
    fn codes_of(source: &str) -> BTreeSet<String> {
        let mut codes = BTreeSet::new();
        let pieces: Vec<&str> = source.split('"').collect();
        for (at, word) in pieces.iter().enumerate().skip(1) {
            let is_word =
                word.contains('_') && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            let after = pieces.get(at + 1).copied().unwrap_or_default();
            let Some(after) = after.strip_prefix(',') else { continue };
            let next = after.trim_start().trim_start_matches('&');
            let sentence = next.is_empty() && pieces.get(at + 2).is_some_and(|s| s.starts_with(char::is_uppercase));
            let made = ["format!", "message", "why", "words", "save_as_utf8"].iter().any(|name| next.starts_with(name));
            if is_word && (sentence || made) {
                codes.insert((*word).to_owned());
            }
        }
        codes
    }

    fn read_sources(folder: &Path, codes: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "tests" {
                read_sources(&path, codes);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let source = std::fs::read_to_string(&path).unwrap();
                codes.append(&mut codes_of(source.split("#[cfg(test)]\nmod tests {").next().unwrap()));
            }
        }
    }

    #[test]
    fn every_fault_code_has_its_vietnamese_sentence() {
        let mut codes = BTreeSet::new();
        read_sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../survey-forms/src/round"), &mut codes);
        assert!(codes.len() > 60 && codes.contains("not_utf8") && codes.contains("item_small_pool"), "{codes:?}");
        let missing: Vec<&String> = codes.iter().filter(|code| line(code).is_none()).collect();
        assert!(missing.is_empty(), "give these a line in fault_words.rs: {missing:?}");
        let known: BTreeSet<&str> = LINES.iter().map(|(code, ..)| *code).collect();
        assert_eq!(known.len(), LINES.len(), "each code has one line");
    }

    #[test]
    fn a_pattern_has_no_more_gaps_than_its_message() {
        for (code, plain, patterns) in LINES {
            assert!(!plain.contains("{}") && plain.ends_with('.'), "{code}");
            for (english, vietnamese) in *patterns {
                assert!(english.matches("{}").count() >= vietnamese.matches("{}").count(), "{code}: {english}");
                assert!(particulars(english, english).is_some(), "{code}: {english}");
            }
        }
    }

    #[test]
    fn particulars_are_carried_over_and_no_english_is_shown() {
        let mut files = quang_nam_2023();
        let replace = |files: &mut survey_forms::RoundFiles, path: &str, from: &str, to: &str| {
            let text = String::from_utf8(files[path].clone()).unwrap();
            assert!(text.contains(from));
            files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
        };
        replace(&mut files, "targets.tsv", "target_kind", "kind");
        replace(&mut files, "round.toml", "k = 10", "k = 0");
        files.insert("units.tsv".to_owned(), b"S\xeb N\xe9i v\xf4".to_vec());
        let faults = Round::from_files(&files).unwrap_err();
        let said: Vec<String> = faults.iter().map(sentence).collect();
        for words in ["Thiếu cột target_kind.", "từ 1 đến 1000000", "bảng mã TCVN3 (ABC)"] {
            assert!(said.iter().any(|s| s.contains(words)), "{words}: {said:#?}");
        }
        for said in &said {
            assert!(!said.is_ascii() && !said.contains("the "), "{said}");
        }
        assert_eq!(place("line 12, target_kind"), "dòng 12, cột target_kind");
        assert_eq!(place("line 3"), "dòng 3");
        assert_eq!(place("groups[3].quota"), "groups[3].quota");
    }

    #[test]
    fn an_unknown_code_is_still_answered_in_vietnamese() {
        let mut fault = Round::from_files(&survey_forms::RoundFiles::new()).unwrap_err().remove(0);
        fault.code = "not_yet_known";
        assert_eq!(sentence(&fault), UNKNOWN);
    }
}
