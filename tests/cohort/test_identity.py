"""Ids stay as typed, a blank one is refused, and columns that say who people are never pass. Two spellings of one:
test_spelling.py.
"""

import csv
import re

import pytest

from bayesmyo.cohort.identity import _says_who
from bayesmyo.cohort.read import cohort_of
from bayesmyo.cohort.table import parse_table
from bayesmyo.errors import CohortError
from bayesmyo.study import parse_study
from tests.conftest import SMALL


def read(ids, more="", cells=None, identifying=""):
    """A cohort with these patients, one visit each, from line 2; another column with these cells."""
    data = f"[data]\nidentifying = {identifying}\n[study]" if identifying else "[study]"
    study, cells = parse_study(SMALL.replace("[study]", data, 1)), cells or ["x"] * len(ids)
    rows = [f'"{p}",{n},{50 + n},{900 + n},"{c}"' for n, (p, c) in enumerate(zip(ids, cells, strict=True))]
    table = "\n".join([f'patient,month,strength,cpk,"{more or "site"}"', *rows])
    return cohort_of(study, parse_table(table.encode(), "cohort.csv", study.data))


def faults(*how, **more):
    with pytest.raises(CohortError) as caught:
        read(*how, **more)
    return [str(fault) for fault in caught.value.faults]


def test_no_cell_is_shown_of_a_column_that_may_not_be_there_whatever_the_study_asks_of_it():
    """Other cells are read although the column is refused; its own are understood, and never shown."""
    text = SMALL.replace('label = "CPK"', 'label = "CPK"\ncovariates = ["initials"]').split("[scenarios")[0]
    study = parse_study(text + '\n[covariates.initials]\nlevels = ["x", "y"]\n')
    with pytest.raises(CohortError) as caught:
        cohort_of(
            study, parse_table(b"patient,month,strength,cpk,initials\nA,0,50,900,QJW\n", "cohort.csv", study.data)
        )
    assert [fault.code for fault in caught.value.faults] == ["D59", "D26"]
    assert "QJW" not in str(caught.value)


IDENTIFYING = next(csv.reader([
    "name,Surname,last_name,FIRST NAME,patient name,Patient-Name,patients_name,DOB,D.O.B.,date of "
    "birth,Birth.Date,birth_dt,MRN,NHS number,Hospital No.,SSN,e-mail,E_Mail,"
    "Phone,Prénom,Vorname,geburtsdatum,Zip_Code,date_of_death,  Address ,Patient: "
    "phone,LastName,firstname,DateOfBirth,dateofbirth,PatientName,patientname,Patient's name,"
    "Patient’s street,subject_initials,name_1,Name 2,1_name,Name (patient),name of the patient,DOB (dd/mm/yyyy),Phone "
    "[home],Initials,Straße,pt_name,participant surname"
]))  # fmt: skip
ORDINARY = next(csv.reader([
    "site,site name,address_site,site address,drug_name,gene_name,visit name,study "
    "name,test_name,filename,named,namely,name_of_drug,patient,patient id,patient_age,subject,"
    "subject no,participant number,study no,visit_no,row "
    "number,record,case,case_control,chart,id,arm,age,sex,birth_weight,birth_order,year of "
    "birth,month_of_birth_control,"
    "stillborn,newborn,death,date_of_visit,visit date,date of "
    "diagnosis,dod_score,mobility,mobile_arm_support,immobile,fax_score,mailed,maillard,phonetics,telomere,"
    "contact_lens,street_drugs,zipper,insurance,email_reminder,phone_visit,hospital,hospital days,medical "
    "history,initial_dose,initial,nominal,norm,CHI2,chi2 number,"
    "national_score,cpk (name of kit),rater initials,Dose [mg],next visit,passport_study,first dose,family "
    "history,given dose,middle third,tax,social score"
]))  # fmt: skip


def test_a_column_named_for_what_identifies_people():
    for name in IDENTIFYING:
        (found,) = faults(["A", "B"], name, ["x", "y"])
        assert re.fullmatch(
            r'header: column ".*" identifies people; remove it, or name it in data.identifying: .* \[D59\]', found
        )
        assert read(["A", "B"], name, identifying=f'["{name.strip()}"]').patients == ("A", "B")


def test_a_column_that_only_sounds_like_it():
    assert len(ORDINARY) >= 60
    assert [name for name in ORDINARY if _says_who(name)] == []
    assert "Columns not used: drug_name. [D66]" in read(["A", "B"], "drug_name").notices


def test_one_address_in_any_column_is_enough_and_is_not_shown():
    (found,) = faults(["A", "B", "C"], "remarks", ["ok", "write to jo.do+x@clinic.example.org today", ""])
    assert found.startswith('header: column "remarks" holds e-mail addresses')
    assert "clinic" not in found
    assert len(read(["A", "B"], "remarks", ["2 @ 3 mg", "a@b"])) == 2


def test_ids_that_are_names_in_most_rows():
    for ids in (["Ann Lee", "Bob Roy", "P3"], ["Lee, Ann", "Roy,Bob", "Poe, Eva-Maria"]):
        assert faults(ids)[0].startswith('header: column "patient" holds names of people; use pseudonyms such as P01')
        assert read(ids, identifying='["patient"]').patients == tuple(ids)
    for ids in (["Ann Lee", "P2"], ["Ann", "Bob", "Eva"], ["arm A", "arm B", "arm C"], ["site 1", "site 2", "site 3"]):
        assert read(ids).patients == tuple(ids)


def test_a_blank_id_is_refused_where_anything_else_is_written():
    (found,) = faults(["A", "", "B", " \u00a0", "\u200b"])
    assert found.startswith('lines 3, 5, 6, column "patient": the patient id is blank')
