//! The tables, as diesel sees them on both databases.
#![expect(missing_docs, reason = "the columns are described in the migrations")]

diesel::table! {
    round (id) {
        id -> Text,
        state -> Text,
        hash -> Text,
        files -> Text,
        opens_at -> BigInt,
        closes_at -> BigInt,
        keying_closes_at -> BigInt,
        box_public -> Nullable<Binary>,
        custody -> Nullable<Text>,
    }
}

diesel::table! {
    round_proposal (id) {
        id -> Text,
        round -> Text,
        title -> Text,
        hash -> Text,
        files -> Text,
        errors -> BigInt,
        warnings -> BigInt,
        state -> Text,
        proposed_by -> Text,
        proposed_at -> BigInt,
        settled_by -> Nullable<Text>,
        settled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    roster (round, respondent_code, source_unit) {
        round -> Text,
        respondent_code -> Text,
        source_unit -> Text,
        people -> BigInt,
    }
}

diesel::table! {
    credential (public_key) {
        public_key -> Binary,
        round -> Text,
        respondent_code -> Text,
        source_unit -> Text,
        targets -> Text,
        channel -> Text,
        state -> Text,
        redeem_signature -> Nullable<Binary>,
        receipt_box -> Nullable<Binary>,
    }
}

diesel::table! {
    draft (id) {
        id -> Binary,
        round -> Text,
        body -> Binary,
    }
}

diesel::table! {
    envelope (id) {
        id -> Binary,
        round -> Text,
        sealed -> Binary,
    }
}

diesel::table! {
    ballot_box (id) {
        id -> Binary,
        round -> Text,
        sealed -> Binary,
    }
}

diesel::table! {
    ballot (id) {
        id -> Binary,
        round -> Text,
        body -> Text,
    }
}

diesel::table! {
    remark (id) {
        id -> Binary,
        round -> Text,
        respondent_code -> Text,
        target -> Text,
        item_code -> Text,
        body -> Text,
    }
}

diesel::table! {
    opening (round) {
        round -> Text,
        envelopes -> BigInt,
        opened -> BigInt,
        unreadable -> BigInt,
        log_root -> Text,
        salt -> Nullable<Binary>,
    }
}

diesel::table! {
    log (round) {
        round -> Text,
        vkey -> Text,
        secret -> Binary,
        size -> BigInt,
        checkpoint -> Text,
        close_root -> Nullable<Text>,
    }
}

diesel::table! {
    log_tile (round, level, number) {
        round -> Text,
        level -> SmallInt,
        number -> BigInt,
        body -> Binary,
    }
}

diesel::table! {
    log_leaf (id) {
        id -> Binary,
        round -> Text,
        place -> BigInt,
    }
}

diesel::table! {
    turnout (round, respondent_code, source_unit, targets, channel, day) {
        round -> Text,
        day -> Text,
        respondent_code -> Text,
        source_unit -> Text,
        targets -> Text,
        channel -> Text,
        returned -> BigInt,
    }
}

diesel::table! {
    staff (id) {
        id -> Text,
        name -> Text,
        role -> Text,
        password_hash -> Text,
        disabled -> Bool,
        created_at -> BigInt,
        office -> Nullable<Text>,
        ends_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    capture (public_key) {
        public_key -> Binary,
        round -> Text,
        state -> Text,
        before -> Nullable<Text>,
        first_by -> Nullable<Text>,
        second_by -> Nullable<Text>,
        audited_by -> Nullable<Text>,
        settled_by -> Nullable<Text>,
        held_by -> Nullable<Text>,
        void_by -> Nullable<Text>,
        void_confirmed_by -> Nullable<Text>,
    }
}

diesel::table! {
    post_office (code) {
        code -> Text,
        name -> Text,
    }
}

diesel::table! {
    bundle (id) {
        id -> Text,
        round -> Text,
        respondent_code -> Text,
        number -> BigInt,
        size -> BigInt,
        office -> Nullable<Text>,
        state -> Text,
        holder -> Text,
        counted -> Nullable<BigInt>,
        note -> Nullable<Text>,
        noted_by -> Nullable<Text>,
        waiver -> Nullable<Text>,
        signed_first -> Nullable<Text>,
        signed_second -> Nullable<Text>,
    }
}

diesel::table! {
    bundle_sums (bundle) {
        bundle -> Text,
        audited_items -> BigInt,
        audited_wrong -> BigInt,
        keying_seconds -> BigInt,
    }
}

diesel::table! {
    paper_referral (id) {
        id -> Text,
        round -> Text,
        bundle -> Nullable<Text>,
        sheet -> Nullable<BigInt>,
        trouble -> Text,
        remark -> Text,
        state -> Text,
        verdict -> Text,
        referred_by -> Text,
        proposed_by -> Nullable<Text>,
        confirmed_by -> Nullable<Text>,
    }
}

diesel::table! {
    desk_work (round, staff, pass, day) {
        round -> Text,
        staff -> Text,
        pass -> Text,
        day -> Text,
        ballots -> BigInt,
        items -> BigInt,
        wrong -> BigInt,
    }
}

diesel::table! {
    desk_item (round, respondent_code, item_code) {
        round -> Text,
        respondent_code -> Text,
        item_code -> Text,
        compared -> BigInt,
        differed -> BigInt,
    }
}

diesel::table! {
    desk_pass (id) {
        id -> Binary,
        short -> Text,
        staff -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    paper (public_key) {
        public_key -> Binary,
        round -> Text,
        bundle -> Text,
        sheet -> BigInt,
        custody -> Text,
        sampled -> Bool,
    }
}

diesel::table! {
    keying_claim (desk, public_key) {
        desk -> Text,
        public_key -> Binary,
        staff -> Text,
    }
}

diesel::table! {
    keying_effort (round, staff, day) {
        round -> Text,
        staff -> Text,
        day -> Text,
        entries -> BigInt,
        keystrokes -> BigInt,
        refused -> BigInt,
        active_seconds -> BigInt,
    }
}

diesel::table! {
    desk_key (staff) {
        staff -> Text,
        secret -> Binary,
    }
}

diesel::table! {
    scan (id) {
        id -> Binary,
        bundle -> Text,
        body -> Binary,
    }
}

diesel::table! {
    publication (round, release) {
        round -> Text,
        release -> BigInt,
        published_at -> BigInt,
        document -> Text,
    }
}

diesel::table! {
    release_proposal (id) {
        id -> Text,
        round -> Text,
        release -> BigInt,
        reason -> Text,
        left_out -> Text,
        digest -> Text,
        state -> Text,
        proposed_by -> Text,
        proposed_at -> BigInt,
        settled_by -> Nullable<Text>,
        settled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    session (id) {
        id -> Binary,
        staff -> Text,
        created_at -> BigInt,
        last_seen_at -> BigInt,
    }
}

diesel::table! {
    client (id) {
        id -> Text,
        name -> Text,
        secret_hash -> Binary,
        scopes -> Text,
        revoked -> Bool,
        created_at -> BigInt,
        rounds -> Text,
    }
}

diesel::table! {
    signing_key (id) {
        id -> Text,
        secret -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    audit (id) {
        id -> Text,
        at -> BigInt,
        actor -> Text,
        action -> Text,
        subject -> Text,
        detail -> Text,
    }
}

diesel::table! {
    webhook (id) {
        id -> Text,
        url -> Text,
        secret -> Binary,
        round -> Nullable<Text>,
        state -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    webhook_delivery (id) {
        id -> Text,
        webhook -> Text,
        round -> Text,
        body -> Text,
        created_at -> BigInt,
        state -> Text,
        attempts -> BigInt,
        due_at -> BigInt,
        last_at -> Nullable<BigInt>,
        last_status -> Nullable<BigInt>,
        last_fault -> Nullable<Text>,
    }
}

diesel::table! {
    addressee (id) {
        id -> Text,
        round -> Text,
        respondent_code -> Text,
        source_unit -> Text,
        name -> Text,
        email -> Text,
        mailbox -> Text,
    }
}

diesel::table! {
    tie (addressee) {
        addressee -> Text,
        round -> Text,
        public_key -> Binary,
    }
}

diesel::table! {
    letter (id) {
        id -> Text,
        round -> Text,
        addressee -> Text,
        template -> Text,
        number -> BigInt,
        state -> Text,
        due -> BigInt,
        tries -> BigInt,
        fault -> Nullable<Text>,
    }
}

diesel::table! {
    posting (round) {
        round -> Text,
        paused_by -> Nullable<Text>,
        trouble -> Nullable<Text>,
        trouble_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    roster_upload (id) {
        id -> Text,
        round -> Text,
        respondent_code -> Nullable<Text>,
        file -> Text,
        mapping -> Text,
        body -> Binary,
        uploaded_by -> Text,
        uploaded_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    addressee,
    audit,
    ballot,
    ballot_box,
    bundle,
    bundle_sums,
    capture,
    client,
    credential,
    desk_item,
    desk_key,
    desk_pass,
    desk_work,
    draft,
    envelope,
    keying_claim,
    keying_effort,
    letter,
    log,
    log_leaf,
    log_tile,
    opening,
    paper,
    paper_referral,
    post_office,
    posting,
    publication,
    release_proposal,
    remark,
    roster,
    roster_upload,
    round,
    round_proposal,
    scan,
    session,
    signing_key,
    staff,
    tie,
    turnout,
    webhook,
    webhook_delivery,
);
