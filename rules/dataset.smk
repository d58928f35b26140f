# From seeds to preference pairs and test prompts, or the released dataset instead.


rule translate_seeds:
    input:
        seeds=building.seed_sheets(),
        instructions=config["dataset"]["instructions"] or [],
        memory=config["dataset"]["translation"]["memory"] or [],
    output:
        "<study>/translate_seeds/seeds.jsonl",
    log:
        "<study>/logs/translate_seeds/seeds.log",
    priority: 1
    conda:
        "../envs/dataset.yaml"
    resources:
        api=1,
    params:
        seed_language=config["dataset"]["seed_language"],
        languages=list(study.built),
        translation=config["dataset"]["translation"],
        deepl=building.deepl_codes(config["dataset"]["seed_language"], *study.built),
        own_names=building.own_names(),
    script:
        "../workflow/scripts/translate_seeds.py"


rule feasibility:
    input:
        seeds=rules.translate_seeds.output[0],
        prompts=building.before("generate_prompts/{phase}/{generator}.jsonl"),
        pairs=building.before("build_pairs/{phase}/pairs.jsonl"),
    output:
        "<study>/feasibility/{phase}.jsonl",
    log:
        "<study>/logs/feasibility/{phase}.log",
    conda:
        "../envs/dataset.yaml"
    params:
        languages=list(study.built),
        pilot_n=config["dataset"]["pilot_n"],
        aim=building.aim(),
    script:
        "../workflow/scripts/feasibility.py"


rule generate_prompts:
    input:
        seeds=rules.translate_seeds.output[0],
        needs=building.needs,
        weights=wiring.asked_weights("generate_prompts"),
        identifier=wiring.identifier(),
    output:
        "<study>/generate_prompts/{phase}/{generator}.jsonl",
    log:
        "<study>/logs/generate_prompts/{phase}/{generator}.log",
    priority: building.first
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("generate_prompts"),
        api=wiring.api("generate_prompts"),
    params:
        model=wiring.asked_row("generate_prompts"),
        languages=list(study.built),
        size=building.prompts_wanted,
        sampling=config["dataset"]["sampling"],
        identification=config["language_identification"],
        fasttext=wiring.fasttext_labels(study.built),
        phase_apart=building.phase_apart,
        how=wiring.how("generate_prompts"),
    script:
        "../workflow/scripts/generate_prompts.py"


rule label_prompts:
    input:
        prompts=building.generated_prompts,
        weights=wiring.asked_weights("label_prompts"),
        templates=wiring.asked_template_files("label_prompts"),
    output:
        "<study>/label_prompts/{phase}/{judge}.jsonl",
    log:
        "<study>/logs/label_prompts/{phase}/{judge}.log",
    priority: building.first
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("label_prompts"),
        api=wiring.api("label_prompts"),
    params:
        judge=wiring.asked_row("label_prompts"),
        templates=wiring.asked_templates("label_prompts"),
        phase_apart=building.phase_apart,
        how=wiring.how("label_prompts"),
    script:
        "../workflow/scripts/label_prompts.py"


rule filter_prompts:
    input:
        prompts=f"<study>/generate_prompts/{{phase}}/{config['dataset']['generators']['main']}.jsonl",
        before=building.before("generate_prompts/{phase}/{generator}.jsonl"),
        labels=collect("<study>/label_prompts/{{phase}}/{judge}.jsonl", judge=config["judging"]["guards"]),
    output:
        prompts="<study>/filter_prompts/{phase}/prompts.jsonl",
        funnel="<study>/filter_prompts/{phase}/funnel.jsonl",
    log:
        "<study>/logs/filter_prompts/{phase}.log",
    priority: building.first
    conda:
        "../envs/dataset.yaml"
    params:
        generator=config["dataset"]["generators"]["main"],
        policy=config["dataset"]["policies"]["prompt_unsafe"],
        near_duplicates=config["dataset"]["near_duplicates"],
    script:
        "../workflow/scripts/filter_prompts.py"


rule answer_prompts:
    input:
        prompts=rules.filter_prompts.output.prompts,
        seeds=rules.translate_seeds.output[0],
        weights=wiring.asked_weights("answer_prompts"),
        identifier=wiring.identifier(),
    output:
        "<study>/answer_prompts/{phase}/{side}.jsonl",
    log:
        "<study>/logs/answer_prompts/{phase}/{side}.log",
    priority: building.first
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("answer_prompts"),
        api=wiring.api("answer_prompts"),
    params:
        model=wiring.asked_row("answer_prompts"),
        decoding=config["dataset"]["answers"],
        seed=config["dataset"]["seed"],
        languages=list(study.built),
        identification=config["language_identification"],
        fasttext=wiring.fasttext_labels(study.built),
        how=wiring.how("answer_prompts"),
    script:
        "../workflow/scripts/answer_prompts.py"


rule label_answers:
    input:
        answers=rules.answer_prompts.output[0],
        weights=wiring.asked_weights("label_answers"),
        templates=wiring.asked_template_files("label_answers"),
    output:
        "<study>/label_answers/{phase}/{side}/{judge}.jsonl",
    log:
        "<study>/logs/label_answers/{phase}/{side}/{judge}.log",
    priority: building.first
    conda:
        "../envs/inference.yaml"
    resources:
        gpu=wiring.gpus("label_answers"),
        api=wiring.api("label_answers"),
    params:
        judge=wiring.asked_row("label_answers"),
        templates=wiring.asked_templates("label_answers"),
        how=wiring.how("label_answers"),
    script:
        "../workflow/scripts/label_answers.py"


rule build_pairs:
    input:
        prompts=rules.filter_prompts.output.prompts,
        chosen="<study>/answer_prompts/{phase}/chosen.jsonl",
        rejected="<study>/answer_prompts/{phase}/rejected.jsonl",
        labels=collect(
            "<study>/label_answers/{{phase}}/{side}/{judge}.jsonl",
            side=["chosen", "rejected"],
            judge=config["judging"]["guards"],
        ),
    output:
        pairs="<study>/build_pairs/{phase}/pairs.jsonl",
        funnel="<study>/build_pairs/{phase}/funnel.jsonl",
    log:
        "<study>/logs/build_pairs/{phase}.log",
    priority: building.first
    conda:
        "../envs/dataset.yaml"
    params:
        guards=config["judging"]["guards"],
        policies=config["dataset"]["policies"],
    script:
        "../workflow/scripts/build_pairs.py"


rule split_pairs:
    input:
        pairs=collect(rules.build_pairs.output.pairs, phase=study.phases),
        seeds=rules.translate_seeds.output[0],
    output:
        train="<study>/split_pairs/train.jsonl",
        test="<study>/split_pairs/test.jsonl",
    log:
        "<study>/logs/split_pairs/pairs.log",
    priority: 1
    conda:
        "../envs/dataset.yaml"
    params:
        languages=list(study.built),
        split=config["dataset"]["split"],
    script:
        "../workflow/scripts/split_pairs.py"


rule funnel:
    """How many prompts and pairs each filter leaves."""
    input:
        prompts=collect(rules.filter_prompts.output.funnel, phase=study.phases),
        answers=collect(rules.build_pairs.output.funnel, phase=study.phases),
        pairs=collect(rules.build_pairs.output.pairs, phase=study.phases),
        train=rules.split_pairs.output.train,
        test=rules.split_pairs.output.test,
    output:
        "<study>/funnel/funnel.csv",
    log:
        "<study>/logs/funnel/funnel.log",
    conda:
        "../envs/dataset.yaml"
    params:
        languages=list(study.built),
    script:
        "../workflow/scripts/funnel.py"


rule dataset_card:
    """The built dataset in the released layout, for datasets.load_dataset, with a card; not made by default."""
    input:
        train=rules.split_pairs.output.train,
        test=rules.split_pairs.output.test,
        funnel=rules.funnel.output[0],
        template="workflow/report/dataset_card.md.j2",
        licences="resources/model_licences.tsv",
    output:
        card="<study>/dataset_card/README.md",
        pairs=collect(
            "<study>/dataset_card/{config}/{split}-00000-of-00001.parquet",
            config=["multilingual", *[f"lang_{code}" for code in study.built]],
            split=["train", "test"],
        ),
        prompts="<study>/dataset_card/evaluation/eval-00000-of-00001.parquet",
    log:
        "<study>/logs/dataset_card/dataset_card.log",
    conda:
        "../envs/dataset.yaml"
    params:
        facts=building.card_facts(),
    script:
        "../workflow/scripts/dataset_card.py"


rule load_dataset:
    input:
        building.released_rows(),
    output:
        train="<study>/load_dataset/train.jsonl",
        test="<study>/load_dataset/test.jsonl",
    log:
        "<study>/logs/load_dataset/dataset.log",
    conda:
        "../envs/dataset.yaml"
    params:
        languages=list(study.built),
        folder=config["dataset"]["repository"] if config["dataset"]["revision"] == "local" else None,
        category_by_row_id=config["dataset"]["category_by_row_id"],
    script:
        "../workflow/scripts/load_dataset.py"
